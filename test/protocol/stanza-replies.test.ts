import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { MalformedAddress } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { errorReply, errorReplyToFrame, iqResult } from '../../src/protocol/stanza-replies.ts';
import { xml } from '../../src/xml/element.ts';
import { readFrame, readStanza } from './read-stanza.ts';

const turned = 'from="b@b.example" to="a@a.example/r" id="1"';
const attributes = "from='a@a.example/r' to='b@b.example' id='1' xml:lang='en' more='x'";
const unavailable = '<error type="cancel"><service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>';

describe('iqResult', () => {
  const request = readStanza(`<iq type='get' ${attributes}><ping xmlns='urn:xmpp:ping'/></iq>`);

  it('turns the addresses round and keeps the id', () => {
    expect(iqResult(request).toString()).to.equal(`<iq ${turned} type="result"/>`);
  });

  it('takes a child', () => {
    expect(iqResult(request, xml('query', { xmlns: 'jabber:iq:version' })).toString()).to.equal(
      `<iq ${turned} type="result"><query xmlns="jabber:iq:version"/></iq>`,
    );
  });

  it('has no addresses where the request has none', () => {
    expect(iqResult(readStanza("<iq type='set' id='1'><a xmlns='urn:a'/></iq>")).toString()).to.equal(
      '<iq id="1" type="result"/>',
    );
  });
});

describe('errorReply', () => {
  const error = StanzaError.serviceUnavailable();

  for (const [kind, type] of [
    ['message', "type='chat'"],
    ['message', ''],
    ['presence', "type='subscribe'"],
    ['presence', ''],
    ['iq', "type='get'"],
    ['iq', "type='set'"],
    ['iq', "type='made-up'"],
  ]) {
    it(`answers ${kind} ${type} without its content`, () => {
      const stanza = readStanza(`<${kind} ${type} ${attributes}><body>hi</body></${kind}>`);
      expect(errorReply(stanza, error)?.toString()).to.equal(
        `<${kind} ${turned} type="error">${unavailable}</${kind}>`,
      );
    });
  }

  for (const text of [
    "<message type='error'/>",
    "<presence type='error'/>",
    "<iq type='error'/>",
    "<iq type='result'/>",
  ]) {
    it(`never answers ${text}`, () => expect(errorReply(readStanza(text), error)).to.equal(undefined));
  }

  it('can come from another and carry more', () => {
    const stanza = readStanza(`<message ${attributes}><body>hi</body></message>`);
    const amp = xml('amp', { xmlns: 'http://jabber.org/protocol/amp' });
    const reply = errorReply(stanza, error, { from: Jid.parse('b.example'), keep: [amp] });
    expect(reply?.toString()).to.equal(
      `<message from="b.example" to="a@a.example/r" id="1" type="error"><amp xmlns="http://jabber.org/protocol/amp"/>${unavailable}</message>`,
    );
  });
});

describe('errorReplyToFrame', () => {
  const malformed = new MalformedAddress('to');

  it('answers on the stream what has no good address', () => {
    const reply = errorReplyToFrame(readFrame("<iq to='@' id='1' type='get'><a xmlns='urn:a'/></iq>"), 'iq', malformed);
    expect(reply?.head()).to.equal('<iq id="1" type="error">');
    expect(reply?.payload.has('error', 'jabber:client')).to.equal(true);
  });

  it('never answers an error', () => {
    expect(errorReplyToFrame(readFrame("<message to='@' type='error'/>"), 'message', malformed)).to.equal(undefined);
  });
});
