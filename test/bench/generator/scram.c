#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include "xload.h"

enum { LONGEST_HASH = 32, LONGEST_SALT = 64, LONGEST_MESSAGE = 900 };
// RFC 5802 §9 lets clients keep the keys.
static struct keys {
  unsigned char salt[LONGEST_SALT], client[LONGEST_HASH], server[LONGEST_HASH];
  int salt_length, iterations;
} *kept;
static int kept_count;
static bool changed;

void scram_open(void) {
  kept_count = options.base + connection_count + options.users + 1;
  kept = calloc(kept_count, sizeof *kept);
  FILE *file = options.key_cache ? fopen(options.key_cache, "rb") : NULL;
  if (!file) return;
  if (fread(kept, sizeof *kept, kept_count, file) == 0) changed = true;
  fclose(file);
}

// Keys of users beyond ours stay in the file.
void scram_save(void) {
  if (!options.key_cache || !changed) return;
  FILE *file = fopen(options.key_cache, "r+b");
  if (!file) file = fopen(options.key_cache, "wb");
  if (!file) die("the key cache cannot be written");
  fwrite(kept, sizeof *kept, kept_count, file);
  fclose(file);
}

static const EVP_MD *digest(void) { return strstr(options.mechanism, "256") ? EVP_sha256() : EVP_sha1(); }

static void encode(const void *bytes, int length, char *text) { EVP_EncodeBlock((unsigned char *)text, bytes, length); }

static int decode(const char *text, int length, unsigned char *bytes) {
  if (length % 4) return -1;
  int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, length);
  if (decoded < 0) return -1;
  if (length && text[length - 1] == '=') decoded--;
  if (length > 1 && text[length - 2] == '=') decoded--;
  return decoded;
}

// The decoded text of a SASL element, ended by a zero.
static int decode_content(const char *stanza, u32 length, unsigned char *message) {
  const char *from = memchr(stanza, '>', length), *end = stanza + length;
  const char *to = from ? memchr(from, '<', end - from) : NULL;
  if (!to || to - from > LONGEST_MESSAGE) die("not SCRAM: %.*s", (int)length, stanza);
  int decoded = decode(from + 1, to - from - 1, message);
  if (decoded < 0) die("not base64: %.*s", (int)length, stanza);
  message[decoded] = 0;
  return decoded;
}

void scram_start(struct connection *c) {
  unsigned char random[12];
  char nonce[32], text[300], encoded[500];
  RAND_bytes(random, sizeof random);
  encode(random, sizeof random, nonce);
  c->scram = malloc(256);
  snprintf(c->scram, 256, "n=%s%d,r=%s", options.prefix, c->user, nonce);
  int length = snprintf(text, sizeof text, "n,,%s", c->scram);
  encode(text, length, encoded);
  send_text(c, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>", options.mechanism, encoded);
}

static struct keys *keys_for(int user, const unsigned char *salt, int salt_length, int iterations) {
  struct keys *keys = &kept[user];
  bool same = keys->salt_length == salt_length && keys->iterations == iterations;
  if (same && memcmp(keys->salt, salt, salt_length) == 0) return keys;
  const EVP_MD *md = digest();
  int hash = EVP_MD_size(md);
  unsigned char salted[LONGEST_HASH];
  PKCS5_PBKDF2_HMAC(options.password, strlen(options.password), salt, salt_length, iterations, md, hash, salted);
  HMAC(md, salted, hash, (const unsigned char *)"Client Key", 10, keys->client, NULL);
  HMAC(md, salted, hash, (const unsigned char *)"Server Key", 10, keys->server, NULL);
  memcpy(keys->salt, salt, salt_length);
  keys->salt_length = salt_length;
  keys->iterations = iterations;
  changed = true;
  return keys;
}

// Puts the proof into `proof`, and what the server has to answer into c->scram.
static void prove(struct connection *c, const struct keys *keys, const char *message, char *proof) {
  const EVP_MD *md = digest();
  int hash = EVP_MD_size(md), length = strlen(message);
  const unsigned char *signed_text = (const unsigned char *)message;
  unsigned char stored[LONGEST_HASH], signature[LONGEST_HASH];
  EVP_Digest(keys->client, hash, stored, NULL, md, NULL);
  HMAC(md, stored, hash, signed_text, length, signature, NULL);
  for (int i = 0; i < hash; i++) signature[i] ^= keys->client[i];
  encode(signature, hash, proof);
  HMAC(md, keys->server, hash, signed_text, length, signature, NULL);
  memcpy(c->scram, "v=", 2);
  encode(signature, hash, c->scram + 2);
}

void scram_challenge(struct connection *c, const char *stanza, u32 length) {
  unsigned char challenge[LONGEST_MESSAGE + 4], salt[LONGEST_MESSAGE];
  decode_content(stanza, length, challenge);
  const char *text = (const char *)challenge;
  const char *nonce = strstr(text, "r="), *salt_text = strstr(text, ",s="), *iterations = strstr(text, ",i=");
  if (!nonce || !salt_text || !iterations) die("not a SCRAM challenge: %s", text);
  int salt_length = decode(salt_text + 3, strcspn(salt_text + 3, ","), salt);
  if (salt_length < 0 || salt_length > LONGEST_SALT) die("not a SCRAM salt: %s", text);
  char unproven[LONGEST_MESSAGE + 32], message[3 * LONGEST_MESSAGE], proof[64], encoded[2 * LONGEST_MESSAGE];
  snprintf(unproven, sizeof unproven, "c=biws,r=%.*s", (int)strcspn(nonce + 2, ","), nonce + 2);
  snprintf(message, sizeof message, "%s,%s,%s", c->scram, text, unproven);
  prove(c, keys_for(c->user, salt, salt_length, atoi(iterations + 3)), message, proof);
  int final = snprintf(message, sizeof message, "%s,p=%s", unproven, proof);
  encode(message, final, encoded);
  send_text(c, "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</response>", encoded);
}

void scram_success(struct connection *c, const char *stanza, u32 length) {
  unsigned char message[LONGEST_MESSAGE + 4];
  decode_content(stanza, length, message);
  if (strncmp((const char *)message, c->scram, strlen(c->scram)) != 0) die("the server does not know the password");
  free(c->scram);
  c->scram = NULL;
}
