import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { temporaryDirectory } from './temporary-directory.ts';

interface Case {
  readonly text: string;
  /** Each as line:column: path: message. */
  readonly problems: readonly string[];
}

const cases: Record<string, Case> = {
  'a misspelt key': {
    text: '{\n  "domian": ["a.example"]\n}',
    problems: ['2:3: domian: unknown key; did you mean "domains"?'],
  },
  'a misspelt key in a section': {
    text: '{\n  "limits": {\n    "c2s": { "stanzabytes": 20000 }\n  }\n}',
    problems: ['3:14: limits.c2s.stanzabytes: unknown key; did you mean "stanzaBytes"?'],
  },
  'a key in the wrong place': {
    text: '{ "scramIterations": 20000 }',
    problems: ['1:3: scramIterations: unknown key; did you mean "authentication.scramIterations"?'],
  },
  'a key nobody knows': {
    text: '{ "modules_enabled": [] }',
    problems: ['1:3: modules_enabled: unknown key'],
  },
  'a key in an entry of a list': {
    text: '{ "listen": { "c2s": [{ "host": "::1", "port": 1, "prot": 2 }] } }',
    problems: ['1:51: listen.c2s[0].prot: unknown key; did you mean "port"?'],
  },
  'a component on a domain of the server': {
    text: '{"domains": ["a.example"],\n  "components": {"A.example": {"secret": "x"}}}',
    problems: ['2:18: components["A.example"]: "a.example" is a served domain'],
  },
  'a component on the domain of the proxy': {
    text: '{"domains": ["a.example"], "listen": {"proxy": [{"host": "::1", "port": 1}]},\n "components": {"proxy.a.example": {"secret": "x"}}}',
    problems: [
      '2:17: components["proxy.a.example"]: "proxy.a.example" is the proxy for file transfers, which listen.proxy turns on',
    ],
  },
  'rooms on a domain of the server': {
    text: '{"domains": ["a.example"],\n  "rooms": {"enabled": true, "domains": ["A.example"]}}',
    problems: ['2:42: rooms.domains[0]: "a.example" is a served domain'],
  },
  'rooms on the domain of a component': {
    text: '{"domains": ["a.example"], "components": {"conference.a.example": {"secret": "x"}},\n  "rooms": {"domains": ["conference.a.example"]}}',
    problems: ['2:25: rooms.domains[0]: "conference.a.example" is a component'],
  },
  'a key in an entry of tls.domains': {
    text: '{ "domains": ["a.example"], "tls": { "domains": { "a.example": { "certificate": "a", "key": "b", "chain": "c" } } } }',
    problems: ['1:98: tls.domains["a.example"].chain: unknown key'],
  },
  'the key __proto__': {
    text: '{ "__proto__": { "domains": ["a.example"] } }',
    problems: ['1:3: __proto__: unknown key'],
  },
  'a repeated key': {
    text: '{\n  "log": { "level": "info" },\n  "log": { "format": "json" }\n}',
    problems: ['3:3: log: occurs more than once in its object'],
  },
  'a list in place of the object': {
    text: '[]',
    problems: ['1:1: must be an object, not a list'],
  },
  'a string in place of a list': {
    text: '{ "domains": "a.example" }',
    problems: ['1:14: domains: must be a list, not a string'],
  },
  'an external service of an unknown type': {
    text: '{ "externalServices": [{ "type": "ftp", "host": "a.example" }] }',
    problems: ['1:34: externalServices[0].type: must be one of "stun", "stuns", "turn", "turns"'],
  },
  'an external service with a port in its host': {
    text: '{ "externalServices": [{ "type": "stun", "host": "a.example:3478" }] }',
    problems: ['1:50: externalServices[0].host: must be a host name or an IP address'],
  },
  'an external service with two kinds of credentials': {
    text: '{ "externalServices": [{ "type": "turn", "host": "::1", "secret": "a", "username": "b", "password": "c" }] }',
    problems: ['1:24: externalServices[0]: has both a secret and a user name or password'],
  },
  'an external service with a user name alone': {
    text: '{ "externalServices": [{ "type": "turn", "host": "::1", "username": "b" }] }',
    problems: ['1:24: externalServices[0]: needs both username and password, or neither'],
  },
  'no domain': {
    text: '{ "domains": [] }',
    problems: ['1:14: domains: must not be empty'],
  },
  'an impossible domain': {
    text: '{ "domains": ["a example"] }',
    problems: ['1:15: domains[0]: "a example" is not a valid domain'],
  },
  'an address as a domain': {
    text: '{ "domains": ["user@a.example"] }',
    problems: ['1:15: domains[0]: "user@a.example" is not a valid domain'],
  },
  'an empty domain': {
    text: '{ "domains": [""] }',
    problems: ['1:15: domains[0]: "" is not a valid domain'],
  },
  'a domain twice': {
    text: '{ "domains": [\n  "a.example",\n  "A.Example"\n] }',
    problems: ['3:3: domains[1]: "a.example" is already in domains[0]'],
  },
  'a number in place of a path': {
    text: '{ "dataDir": 7 }',
    problems: ['1:14: dataDir: must be a string, not a number'],
  },
  'an empty path': {
    text: '{ "dataDir": "" }',
    problems: ['1:14: dataDir: must not be empty'],
  },
  'a port too high': {
    text: '{ "listen": { "c2s": [{ "host": "::1", "port": 65536 }] } }',
    problems: ['1:48: listen.c2s[0].port: must be at most 65535, not 65536'],
  },
  'a negative port': {
    text: '{ "listen": { "c2s": [{ "host": "::1", "port": -1 }] } }',
    problems: ['1:48: listen.c2s[0].port: must be at least 0, not -1'],
  },
  'a port that is a string': {
    text: '{ "listen": { "c2s": [{ "host": "::1", "port": "5222" }] } }',
    problems: ['1:48: listen.c2s[0].port: must be a whole number, not a string'],
  },
  'a missing port': {
    text: '{ "listen": { "c2s": [\n  { "host": "::1" }\n] } }',
    problems: ['2:3: listen.c2s[0].port: is required'],
  },
  'a host that is a name': {
    text: '{ "listen": { "c2s": [{ "host": "a.example", "port": 1 }] } }',
    problems: ['1:33: listen.c2s[0].host: must be an IP address or "localhost"; "::" listens on every address'],
  },
  'a listener twice': {
    text: '{ "listen": {\n  "c2s": [{ "host": "10.0.0.1", "port": 1 }],\n  "c2sTls": [{ "host": "10.0.0.1", "port": 1 }]\n} }',
    problems: ['3:14: listen.c2sTls[0]: 10.0.0.1 port 1 is already used by listen.c2s[0]'],
  },
  'a listener within another': {
    text: '{ "listen": { "c2s": [\n  { "host": "10.0.0.1", "port": 1 },\n  { "host": "0.0.0.0", "port": 1 }\n], "c2sTls": [] } }',
    problems: ['3:3: listen.c2s[1]: 0.0.0.0 port 1 is already used by listen.c2s[0]'],
  },
  'an IPv4 listener beside the one for all addresses': {
    text: '{ "listen": { "c2s": [{ "host": "::", "port": 1 },\n  { "host": "0.0.0.0", "port": 1 }], "c2sTls": [] } }',
    problems: ['2:3: listen.c2s[1]: 0.0.0.0 port 1 is already used by listen.c2s[0]'],
  },
  'a load balancer before edges': {
    text: '{ "edges": 1, "listen": { "c2s": [\n  { "host": "::1", "port": 1, "proxyProtocol": ["10.0.0.1"] }] } }',
    problems: ['2:48: listen.c2s[0].proxyProtocol: requires "edges": 0'],
  },
  'a load balancer before components': {
    text: '{ "listen": { "components": [\n  { "host": "::1", "port": 1, "proxyProtocol": ["10.0.0.1"] }] } }',
    problems: ['2:31: listen.components[0].proxyProtocol: unknown key'],
  },
  'no listener': {
    text: '{\n  "listen": { "c2s": [], "c2sTls": [] }\n}',
    problems: ['2:13: listen: must have an address for clients'],
  },
  'a certificate without its key': {
    text: '{ "tls": { "certificate": "a.pem" } }',
    problems: ['1:27: tls.certificate: requires tls.key'],
  },
  'a key without its certificate': {
    text: '{ "tls": {\n  "key": "a.key"\n} }',
    problems: ['2:10: tls.key: requires tls.certificate'],
  },
  'a passphrase without a key': {
    text: '{ "tls": { "passphrase": "secret" } }',
    problems: ['1:26: tls.passphrase: requires tls.key'],
  },
  'a certificate of a domain without its key': {
    text: '{ "domains": ["a.example"], "tls": { "domains": { "a.example": { "certificate": "a" } } } }',
    problems: ['1:64: tls.domains["a.example"].key: is required'],
  },
  'a certificate for a domain that is not served': {
    text: '{ "domains": ["a.example"], "tls": { "domains": {\n  "b.example": { "certificate": "a", "key": "b" }\n} } }',
    problems: [
      '2:3: tls.domains["b.example"]: "b.example" is neither a served domain nor that of a component or of rooms',
    ],
  },
  'two certificates for a component': {
    text: '{ "domains": ["a.example"], "components": { "c.a.example": { "secret": "s" } }, "tls": { "domains": {\n  "c.a.example": { "certificate": "a", "key": "b" },\n  "C.a.example": { "certificate": "a", "key": "b" }\n} } }',
    problems: ['3:3: tls.domains["C.a.example"]: "c.a.example" already has a certificate'],
  },
  'a certificate for an impossible domain': {
    text: '{ "tls": { "domains": {\n  "a b": { "certificate": "a", "key": "b" }\n} } }',
    problems: ['2:3: tls.domains["a b"]: "a b" is not a valid domain'],
  },
  'two certificates for a domain': {
    text: '{ "domains": ["a.example"], "tls": { "domains": {\n  "a.example": { "certificate": "a", "key": "b" },\n  "A.example": { "certificate": "c", "key": "d" }\n} } }',
    problems: ['3:3: tls.domains["A.example"]: "a.example" already has a certificate'],
  },
  'a switch that is a string': {
    text: '{ "tls": { "required": "false" } }',
    problems: ['1:24: tls.required: must be true or false, not a string'],
  },
  'a secret of a wrong form': {
    text: '{ "tls": { "certificate": "a", "key": "b", "passphrase": { "environment": "P" } } }',
    problems: ['1:58: tls.passphrase: must be a string, { "env": "NAME" } or { "file": "path" }'],
  },
  'a secret that is not in the environment': {
    text: '{ "tls": { "certificate": "a", "key": "b", "passphrase": { "env": "NOWHERE" } } }',
    problems: ['1:58: tls.passphrase: the environment variable NOWHERE is not set'],
  },
  'an unknown mechanism': {
    text: '{ "authentication": { "mechanisms": ["SCRAM-SHA256"] } }',
    problems: [
      '1:38: authentication.mechanisms[0]: must be one of "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"; did you mean "SCRAM-SHA-256"?',
    ],
  },
  'a mechanism twice': {
    text: '{ "authentication": { "mechanisms": ["PLAIN", "PLAIN"] } }',
    problems: ['1:47: authentication.mechanisms[1]: "PLAIN" is already in authentication.mechanisms[0]'],
  },
  'no mechanism': {
    text: '{ "authentication": { "mechanisms": [] } }',
    problems: ['1:37: authentication.mechanisms: must not be empty'],
  },
  'too few iterations': {
    text: '{ "authentication": { "scramIterations": 1000 } }',
    problems: ['1:42: authentication.scramIterations: must be at least 4096, not 1000'],
  },
  'half a message': {
    text: '{ "offline": { "maxMessages": 1.5 } }',
    problems: ['1:31: offline.maxMessages: must be a whole number, not 1.5'],
  },
  'a place to come back to that is none': {
    text: '{ "streamManagement": { "location": "xmpp://a.example" } }',
    problems: [
      '1:37: streamManagement.location: must be a host name or an IP address, with or without a port, such as "host.example.org:5222"',
    ],
  },
  'an address that is no URI': {
    text: '{ "contact": { "abuse": ["abuse@a.example"] } }',
    problems: ['1:26: contact.abuse[0]: must be a URI such as "mailto:abuse@example.org"'],
  },
  'a file about outages without an address': {
    text: '{ "contact": { "outages": ["/srv/status.json"] } }',
    problems: ['1:28: contact.outages[0]: must be an address such as "https://example.net/status.json"'],
  },
  'an unknown log level': {
    text: '{ "log": { "level": "warning" } }',
    problems: ['1:21: log.level: must be one of "debug", "info", "warn", "error", "silent"; did you mean "warn"?'],
  },
  'null in place of a section': {
    text: '{ "limits": null }',
    problems: ['1:13: limits: must be an object, not null'],
  },
  'a stanza size below what RFC 6120 wants': {
    text: '{ "limits": { "c2s": { "stanzaBytes": 9999 } } }',
    problems: ['1:39: limits.c2s.stanzaBytes: must be at least 10000, not 9999'],
  },
  'a stanza size that cannot arrive in time': {
    text: '{ "limits": { "c2s": { "stanzaBytes": 1000000 } } }',
    problems: [
      '1:39: limits.c2s.stanzaBytes: 1000000 bytes take 40 seconds at the allowed read rate, longer than the allowed 30 seconds',
    ],
  },
  'an outgoing buffer too small for a stanza': {
    text: '{ "limits": { "c2s": { "outgoingBufferBytes": 65536 } } }',
    problems: ['1:47: limits.c2s.outgoingBufferBytes: must be at least limits.c2s.stanzaBytes, which is 262144'],
  },
  'an outgoing buffer too small for a stanza to another server': {
    text: '{ "limits": { "s2s": { "outgoingBufferBytes": 65536 } } }',
    problems: ['1:47: limits.s2s.outgoingBufferBytes: must be at least limits.s2s.stanzaBytes, which is 524288'],
  },
  'less room for what is unacknowledged than stanzas need': {
    text: '{ "s2s": { "enabled": false }, "streamManagement": { "maxBytes": 500000 } }',
    problems: ['1:66: streamManagement.maxBytes: must be at least twice limits.c2s.stanzaBytes, which is 262144'],
  },
  'less room for what is unacknowledged than stanzas of others need': {
    text: '{ "components": { "c.example": { "secret": "secret-of-c" } }, "streamManagement": { "maxBytes": 1000000 } }',
    problems: [
      '1:97: streamManagement.maxBytes: must be at least twice limits.s2s.stanzaBytes, which is 524288',
      '1:97: streamManagement.maxBytes: must be at least twice limits.components.stanzaBytes, which is 524288',
    ],
  },
  'a listener for servers where one for clients is': {
    text: '{ "listen": { "c2s": [{ "host": "::", "port": 5222 }],\n  "s2s": [{ "host": "::1", "port": 5222 }] } }',
    problems: ['2:11: listen.s2s[0]: ::1 port 5222 is already used by listen.c2s[0]'],
  },
  'a resolver that is a name': {
    text: '{ "s2s": { "dns": { "servers": ["[::1]:5353", "192.0.2.1", "2001:db8::1",\n  "dns.example",\n  "[::1]:0"] } } }',
    problems: [
      '2:3: s2s.dns.servers[3]: must be an IP address, with a port if need be: "192.0.2.1:53", "[2001:db8::1]:53"',
      '3:3: s2s.dns.servers[4]: must be an IP address, with a port if need be: "192.0.2.1:53", "[2001:db8::1]:53"',
    ],
  },
  'a wildcard in the middle of a domain': {
    text: '{ "s2s": { "deny": ["*.Spam.example", "a.*.example"] } }',
    problems: ['1:39: s2s.deny[1]: "a.*.example" is not a valid domain'],
  },
  'a rule for a domain that is served': {
    text: '{ "domains": ["a.example"], "s2s": { "domains": { "A.example": {} },\n  "overrides": { "b.example": [{ "host": "::1" }], "a.example": [{ "host": "::1" }] } } }',
    problems: [
      '1:51: s2s.domains["A.example"]: "a.example" is a served domain',
      '2:52: s2s.overrides["a.example"]: "a.example" is a served domain',
    ],
  },
  'no address for a domain': {
    text: '{ "s2s": { "overrides": { "b.example": [] } } }',
    problems: ['1:40: s2s.overrides["b.example"]: must not be empty'],
  },
  'limits disabled on the Internet': {
    text: '{ "listen": { "c2s": [{ "host": "::", "port": 5222 }] },\n  "limits": { "disabled": true }\n}',
    problems: [
      '2:27: limits.disabled: is only for measurements on loopback, but listen.c2s[0] is open to other machines',
    ],
  },
  'many mistakes at once': {
    text: '{\n  "offline": { "maxMessages": -1 },\n  "domains": ["a.example", "a.example"],\n  "lgo": {},\n  "tls": { "key": "k", "required": 1 },\n  "listen": { "c2s": [{ "host": "::", "port": 70000 }, { "host": "::", "port": 5222 }] },\n  "limits": { "disabled": true }\n}',
    problems: [
      '2:31: offline.maxMessages: must be at least 0, not -1',
      '3:28: domains[1]: "a.example" is already in domains[0]',
      '4:3: lgo: unknown key; did you mean "log"?',
      '5:19: tls.key: requires tls.certificate',
      '5:36: tls.required: must be true or false, not a number',
      '6:47: listen.c2s[0].port: must be at most 65535, not 70000',
      '7:27: limits.disabled: is only for measurements on loopback, but listen.c2s[1] is open to other machines',
    ],
  },
};

describe('a configuration with', () => {
  const directory = temporaryDirectory();

  function problemsOf(text: string): { file: string; error: unknown } {
    const file = directory.write('server.json', text);
    try {
      loadConfig(file, {});
      return { file, error: undefined };
    } catch (error) {
      return { file, error };
    }
  }

  for (const [name, { text, problems }] of Object.entries(cases)) {
    it(`${name} is refused`, () => {
      const { file, error } = problemsOf(text);
      if (!(error instanceof ConfigError)) throw error ?? new Error('it was accepted');
      expect(error.message.split('\n')).to.deep.equal(problems.map((problem) => `${file}:${problem}`));
      expect(error.problems.map(({ line, column }) => `${line}:${column}`)).to.deep.equal(
        problems.map((problem) => /^\d+:\d+/.exec(problem)?.[0]),
      );
    });
  }
});
