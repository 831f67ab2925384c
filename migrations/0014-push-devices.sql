-- A push service belongs to a device, by the key that its sessions share, and no longer to a resource. Clients enable push again when they
-- connect.
DELETE FROM push_registrations;
ALTER TABLE push_registrations RENAME COLUMN resource TO device;
