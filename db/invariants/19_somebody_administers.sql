-- A shop that has administrators has one who can still log in: nobody has locked the last door from outside.
SELECT r.name AS role FROM roles r
WHERE r.name = 'admin' AND EXISTS (SELECT 1 FROM user_roles WHERE role_id = r.id)
  AND NOT EXISTS (SELECT 1 FROM user_roles g JOIN live_users u ON u.id = g.user_id WHERE g.role_id = r.id AND u.status = 'ACTIVE');
