-- Whoever is suspended or deleted has no session that still goes on, and every session ends.
SELECT s.id FROM user_sessions s JOIN users u ON u.id = s.user_id
WHERE s.revoked_at IS NULL AND (u.status <> 'ACTIVE' OR u.deleted_at IS NOT NULL)
UNION ALL
SELECT id FROM user_sessions WHERE expires_at IS NULL OR expires_at <= created_at;
