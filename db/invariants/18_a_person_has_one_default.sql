-- A person has at most one default address, one default card and one account at a provider; a card belongs to one person.
SELECT 'addresses' AS broken, user_id AS value, sum(is_default) AS times FROM addresses
GROUP BY user_id HAVING sum(is_default) > 1
UNION ALL
SELECT 'saved_cards', user_id, sum(is_default) FROM saved_cards GROUP BY user_id HAVING sum(is_default) > 1
UNION ALL
SELECT 'saved_cards_token_once', card_token, count(*) FROM saved_cards GROUP BY card_token HAVING count(*) > 1
UNION ALL
SELECT 'oauth_accounts_one_of_a_kind', user_id || ' ' || provider, count(*) FROM oauth_accounts
GROUP BY user_id, provider HAVING count(*) > 1;
