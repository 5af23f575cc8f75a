-- Every role, permission and grant has values that the shop allows, and real times.
-- `broken` names the CHECK of the schema, or the column that holds no time.
SELECT in_table, key, broken FROM (
  SELECT 'roles' AS in_table, id AS key, CASE
    WHEN NOT (length(name) BETWEEN 1 AND 50 AND name NOT GLOB '*[^a-z0-9_-]*') THEN 'roles_name_has_its_form'
    WHEN NOT (length(description) <= 500) THEN 'roles_description_bounded'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'roles.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'roles.updated_at'
  END AS broken FROM roles
  UNION ALL
  SELECT 'permissions', id, CASE
    WHEN NOT (key = '*' OR (length(key) <= 100 AND key GLOB '[a-z]*:[a-z]*' AND key NOT GLOB '*[^a-z_:]*')) THEN 'permissions_key_has_its_form'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'permissions.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'permissions.updated_at'
  END FROM permissions
  UNION ALL
  SELECT 'role_permissions', role_id || ' ' || permission_id, CASE
    WHEN (assigned_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'role_permissions.assigned_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'role_permissions.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'role_permissions.updated_at'
  END FROM role_permissions
  UNION ALL
  SELECT 'user_roles', user_id || ' ' || role_id, CASE
    WHEN (assigned_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_roles.assigned_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_roles.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_roles.updated_at'
  END FROM user_roles
  UNION ALL
  SELECT 'user_permissions', user_id || ' ' || permission_id, CASE
    WHEN NOT (effect IN ('ALLOW', 'DENY')) THEN 'user_permissions_effect_known'
    WHEN (assigned_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_permissions.assigned_at'
    WHEN (created_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_permissions.created_at'
    WHEN (updated_at GLOB '[12]???-[01]?-[0-3]?T[0-2]?:[0-5]?:[0-5]?.???Z') IS NOT 1 THEN 'user_permissions.updated_at'
  END FROM user_permissions
) WHERE broken IS NOT NULL;
