-- vCards with an image, which becomes the avatar when its account is loaded. Later vCards are stored without one.
CREATE INDEX vcards_with_image ON vcards (account_id) WHERE instr(xml, 'BINVAL') > 0;
