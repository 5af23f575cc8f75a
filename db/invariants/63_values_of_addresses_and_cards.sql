-- Every address, saved card and sign-in under way has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'addresses' AS in_table, id AS key, CASE
    WHEN NOT (length(label) <= 100) THEN 'addresses_label_bounded'
    WHEN NOT (length(full_name) BETWEEN 1 AND 200) THEN 'addresses_full_name_not_empty'
    WHEN NOT (phone GLOB '+[0-9]*' AND length(phone) BETWEEN 7 AND 16) THEN 'addresses_phone_is_e164'
    WHEN NOT (length(line1) BETWEEN 1 AND 300) THEN 'addresses_line1_not_empty'
    WHEN NOT (length(line2) <= 300) THEN 'addresses_line2_bounded'
    WHEN NOT (length(city) BETWEEN 1 AND 200) THEN 'addresses_city_not_empty'
    WHEN NOT (length(state) <= 200) THEN 'addresses_state_bounded'
    WHEN NOT (length(postal_code) <= 20) THEN 'addresses_postal_code_bounded'
    WHEN NOT (length(country) = 2 AND country NOT GLOB '*[^A-Z]*') THEN 'addresses_country_is_iso'
    WHEN NOT (is_default IN (0, 1)) THEN 'addresses_is_default_boolean'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'addresses.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'addresses.updated_at'
  END AS broken FROM addresses
  UNION ALL
  SELECT 'saved_cards', id, CASE
    WHEN NOT (length(card_token) BETWEEN 8 AND 255 AND card_token GLOB '*[^0-9 -]*') THEN 'saved_cards_token_is_no_number'
    WHEN NOT (length(card_alias) <= 100) THEN 'saved_cards_alias_bounded'
    WHEN NOT (length(bin_number) BETWEEN 6 AND 8 AND bin_number NOT GLOB '*[^0-9]*') THEN 'saved_cards_bin_has_its_form'
    WHEN NOT (length(last_four_digits) = 4 AND last_four_digits NOT GLOB '*[^0-9]*') THEN 'saved_cards_last_four_have_their_form'
    WHEN NOT (card_type IN ('CREDIT', 'DEBIT', 'PREPAID')) THEN 'saved_cards_type_known'
    WHEN NOT (length(card_association) <= 50) THEN 'saved_cards_association_bounded'
    WHEN NOT (length(card_family) <= 100) THEN 'saved_cards_family_bounded'
    WHEN NOT (length(card_bank_name) <= 200) THEN 'saved_cards_bank_name_bounded'
    WHEN NOT (length(card_holder_name) BETWEEN 1 AND 200) THEN 'saved_cards_holder_not_empty'
    WHEN NOT (expiry_month BETWEEN 1 AND 12) THEN 'saved_cards_month_bounded'
    WHEN NOT (expiry_year BETWEEN 2000 AND 2100) THEN 'saved_cards_year_bounded'
    WHEN NOT (is_default IN (0, 1)) THEN 'saved_cards_is_default_boolean'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'saved_cards.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'saved_cards.updated_at'
  END FROM saved_cards
  UNION ALL
  SELECT 'oauth_states', state_hash, CASE
    WHEN NOT (provider IN ('github', 'google')) THEN 'oauth_states_provider_known'
    WHEN NOT (length(code_verifier) BETWEEN 43 AND 128) THEN 'oauth_states_verifier_has_its_form'
    WHEN NOT (expires_at > created_at) THEN 'oauth_states_expire_later'
    WHEN (expires_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'oauth_states.expires_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'oauth_states.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'oauth_states.updated_at'
  END FROM oauth_states
) WHERE broken IS NOT NULL;
