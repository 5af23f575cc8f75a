-- Way back of 0003.
DROP TRIGGER reservations_are_kept;
DROP TABLE reservations;
DROP TABLE inventory;
