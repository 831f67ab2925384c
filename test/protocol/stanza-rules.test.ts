import { expect } from 'chai';
import { checkStanza, messageType } from '../../src/protocol/stanza-rules.ts';
import { readStanza } from './read-stanza.ts';

describe('messageType (RFC 6121 §5.2.2)', () => {
  const table: readonly [attribute: string, type: string][] = [
    ['', 'normal'],
    ["type='normal'", 'normal'],
    ["type='chat'", 'chat'],
    ["type='groupchat'", 'groupchat'],
    ["type='headline'", 'headline'],
    ["type='error'", 'error'],
    ["type=''", 'normal'],
    ["type='Chat'", 'normal'],
    ["type='made-up'", 'normal'],
    ["x:type='chat'", 'normal'],
  ];
  for (const [attribute, type] of table) {
    it(`is ${type} for '${attribute}'`, () =>
      expect(messageType(readStanza(`<message ${attribute}/>`))).to.equal(type));
  }
});

describe('checkStanza', () => {
  const good = [
    '<message/>',
    "<message type='made-up'/>",
    '<presence/>',
    ...['error', 'probe', 'subscribe', 'subscribed', 'unavailable', 'unsubscribe', 'unsubscribed'].map(
      (type) => `<presence type='${type}'/>`,
    ),
    "<iq type='get' id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='set' id='1'> <a xmlns='urn:a'/> </iq>",
    "<iq type='set' id=''><a xmlns='urn:a'><b/><c/></a></iq>",
    "<iq type='result' id='1'/>",
    "<iq type='result' id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='error' id='1'/>",
    "<iq type='error' id='1'><a xmlns='urn:a'/><error type='cancel'/></iq>",
  ];
  for (const text of good) {
    it(`accepts ${text}`, () => expect(checkStanza(readStanza(text))).to.equal(undefined));
  }

  const bad = [
    "<presence type=''/>",
    "<presence type='available'/>",
    "<presence type='invisible'/>",
    "<presence type='Unavailable'/>",
    "<iq id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='' id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='GET' id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='get'><a xmlns='urn:a'/></iq>",
    "<iq type='set' x:id='1'><a xmlns='urn:a'/></iq>",
    "<iq type='result'/>",
    "<iq type='error'/>",
    "<iq type='get' id='1'/>",
    "<iq type='set' id='1'/>",
    "<iq type='get' id='1'>text</iq>",
    "<iq type='get' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
    "<iq type='set' id='1'><a xmlns='urn:a'/><a xmlns='urn:a'/></iq>",
    "<iq type='result' id='1'><a xmlns='urn:a'/><b xmlns='urn:b'/></iq>",
  ];
  for (const text of bad) {
    it(`refuses ${text}`, () => {
      expect(checkStanza(readStanza(text))).to.include({ condition: 'bad-request', type: 'modify' });
    });
  }
});
