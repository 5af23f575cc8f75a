-- No two roles have the same name, no two permissions the same key, no two people the same session or account elsewhere.
SELECT 'roles_name_once' AS broken, name AS value, count(*) AS times FROM roles GROUP BY name HAVING count(*) > 1
UNION ALL
SELECT 'permissions_key_once', key, count(*) FROM permissions GROUP BY key HAVING count(*) > 1
UNION ALL
SELECT 'user_sessions_token_once', refresh_token_hash, count(*) FROM user_sessions GROUP BY refresh_token_hash HAVING count(*) > 1
UNION ALL
SELECT 'verification_tokens_token_once', token_hash, count(*) FROM verification_tokens GROUP BY token_hash HAVING count(*) > 1
UNION ALL
SELECT 'oauth_accounts_account_once', provider || ' ' || provider_account_id, count(*) FROM oauth_accounts
GROUP BY provider, provider_account_id HAVING count(*) > 1;
