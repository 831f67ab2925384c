import { expect } from 'chai';
import { contactAddresses, outageStatus } from '../../src/extensions/contact-addresses.ts';
import { legacySession } from '../../src/extensions/legacy-session.ts';
import { ping } from '../../src/extensions/ping.ts';
import { time } from '../../src/extensions/time.ts';
import { version } from '../../src/extensions/version.ts';
import { Bench, errorText } from './bench.ts';

const nowhere = errorText('cancel', 'service-unavailable');

describe('XMPP Ping (XEP-0199)', () => {
  const bench = new Bench(() => ({ extensions: [ping()] }));
  const get = (to: string) => `<iq type='get' id='p' ${to && `to='${to}'`}><ping xmlns='urn:xmpp:ping'/></iq>`;

  it('answers for the domain, the own account and friends', async () => {
    const juliet = await bench.user('juliet');
    const romeo = await bench.account('romeo');
    await bench.befriend(juliet.account, romeo);
    for (const to of ['', 'localhost', juliet.account.key, romeo.key]) {
      const [answer] = await bench.asks(juliet, get(to));
      expect(answer).to.equal(`<iq from="${to || juliet.account.key}" to="${juliet.jid}" id="p" type="result"/>`);
    }
  });

  it('gives strangers the answer of no account', async () => {
    const juliet = await bench.user('juliet');
    const [stranger] = await bench.asks(juliet, get((await bench.account('paris')).key));
    const [nobody] = await bench.asks(juliet, get('paris0@localhost'));
    expect(stranger).to.match(nowhere);
    expect(stranger?.replace(/paris\d+/g, '')).to.equal(nobody?.replace(/paris\d+/g, ''));
  });

  it('is not set', async () => {
    const juliet = await bench.user();
    expect((await bench.asks(juliet, get('').replace('get', 'set')))[0]).to.match(nowhere);
  });
});

describe('Software Version (XEP-0092)', () => {
  const bench = new Bench(() => ({ extensions: [version({ name: 'Ampere', version: '1.2' })] }));

  it('says its name and version, and nothing of the operating system', async () => {
    const juliet = await bench.user();
    const [answer] = await bench.asks(
      juliet,
      `<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>`,
    );
    expect(answer).to.contain(
      '<query xmlns="jabber:iq:version"><name>Ampere</name><version>1.2</version></query></iq>',
    );
  });
});

describe('Software Version (XEP-0092) of an operator who hides nothing', () => {
  const bench = new Bench(() => ({ extensions: [version({ name: 'Ampere', version: '1.2', os: 'Plan 9' })] }));

  it('says the operating system', async () => {
    const juliet = await bench.user();
    const [answer] = await bench.asks(
      juliet,
      `<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>`,
    );
    expect(answer).to.contain('<version>1.2</version><os>Plan 9</os></query>');
  });
});

describe('Entity Time (XEP-0202)', () => {
  const bench = new Bench(({ clock }) => ({ extensions: [time(clock)] }));

  it('is UTC', async () => {
    const juliet = await bench.user();
    bench.clock.jumpTo(Date.UTC(2026, 1, 3, 4, 5, 6));
    const [answer] = await bench.asks(
      juliet,
      `<iq type='get' id='t' to='localhost'><time xmlns='urn:xmpp:time'/></iq>`,
    );
    expect(answer).to.contain('<time xmlns="urn:xmpp:time"><tzo>+00:00</tzo><utc>2026-02-03T04:05:06Z</utc></time>');
  });
});

describe('the session request of RFC 3921', () => {
  const bench = new Bench(() => ({ extensions: [legacySession()] }));

  it('is offered as optional to those who are logged in', () => {
    const { streamFeatures } = legacySession();
    expect(streamFeatures?.('unauthenticated')).to.deep.equal([]);
    expect(streamFeatures?.('authenticated').join('')).to.equal(
      '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session>',
    );
  });

  it('succeeds, wherever it is sent', async () => {
    const juliet = await bench.user();
    const session = `<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>`;
    for (const to of ['', "to='localhost'"]) {
      expect((await bench.asks(juliet, `<iq type='set' id='s' ${to}>${session}</iq>`))[0]).to.contain('type="result"');
    }
  });
});

describe('Contact Addresses for XMPP Services (XEP-0157, XEP-0128)', () => {
  const nothing = { abuse: [], admin: [], feedback: [], sales: [], security: [], status: [], support: [] };

  it('is a form with the purposes that have an address', () => {
    const { disco } = contactAddresses({ ...nothing, abuse: ['mailto:a@b'], admin: ['xmpp:c@d', 'mailto:c@d'] });
    expect(disco?.domainForms).to.deep.equal([
      {
        type: 'result',
        formType: 'http://jabber.org/network/serverinfo',
        fields: [
          { var: 'abuse-addresses', type: 'list-multi', values: ['mailto:a@b'] },
          { var: 'admin-addresses', type: 'list-multi', values: ['xmpp:c@d', 'mailto:c@d'] },
        ],
      },
    ]);
  });

  it('is not there if there are no addresses', () => {
    expect(contactAddresses(nothing).disco?.domainForms).to.deep.equal([]);
  });

  it('stands beside the form with the files about outages (XEP-0455 §2.1)', () => {
    const values = ['https://status.example/a.json', 'http://b.example/status'];
    expect(outageStatus({ outages: values }).disco?.domainForms).to.deep.equal([
      {
        type: 'result',
        formType: 'urn:xmpp:sos:0',
        fields: [{ var: 'external-status-addresses', type: 'list-multi', values }],
      },
    ]);
    expect(outageStatus({ outages: [] }).disco?.domainForms).to.deep.equal([]);
  });
});
