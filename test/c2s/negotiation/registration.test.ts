import { expect } from 'chai';
import { type RegistrationDeps, registration } from '../../../src/c2s/negotiation/registration.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { readFrame } from '../../protocol/read-stanza.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { StubStream } from './stub-stream.ts';

const space = 'jabber:iq:register';
const form = (username: string, password = 'secret') =>
  `<iq id='1' type='set'><query xmlns='${space}'><username>${username}</username><password>${password}</password></query></iq>`;
const get = `<iq id='1' type='get'><query xmlns='${space}'/></iq>`;
const done = '<iq id="1" type="result"/>';

describe('In-band registration (XEP-0077 §3.1)', () => {
  let clock: ManualClock;
  let created: string[];
  let create: RegistrationDeps['register'];
  let options: { open: boolean; needsApproval: boolean; questions: { question: string; answers: string[] }[] };
  let newStream: (remoteAddress?: string) => (text: string) => Promise<string>;
  let ask: (text: string, facts?: { remoteAddress?: string; offered?: boolean }) => Promise<string>;

  beforeEach(() => {
    clock = new ManualClock();
    created = [];
    create = async (account, password) => void created.push(`${account} ${password}`);
    const limits = { perIp: 2, windowSeconds: 10 };
    const register: RegistrationDeps['register'] = (...given) => create(...given);
    options = { open: true, needsApproval: false, questions: [] };
    const redemption: RegistrationDeps['redemption'] = {
      enabled: false,
      find: () => Promise.resolve(undefined),
      register: () => Promise.reject(new Error('no invitations here')),
    };
    const feature = registration({ options, register, redemption, limits, withoutTls: true, clock });
    newStream = (remoteAddress = '192.0.2.1') => {
      const stream = new StubStream({ remoteAddress });
      return async (text) => {
        await feature.negotiate(stream, readFrame(text), true);
        return stream.taken().join('');
      };
    };
    ask = async (text, { remoteAddress = '192.0.2.1', offered = true } = {}) => {
      const stream = new StubStream({ remoteAddress });
      const frame = readFrame(text);
      expect(feature.handles(frame)).to.equal(true);
      await feature.negotiate(stream, frame, offered);
      return stream.taken().join('');
    };
  });

  const error = (condition: string) => new RegExp(`^<iq id="1" type="error"><error type="\\w+"><${condition} `);

  it('tells what is needed', async () => {
    expect(await ask(get)).to.match(
      /<query xmlns="jabber:iq:register"><instructions>[^<]+<\/instructions><username\/><password\/><\/query>/,
    );
  });

  it('makes an account at the domain of the stream, its name prepared', async () => {
    expect(await ask(form('Juliet', ' p&amp;s '))).to.equal(done);
    expect(created).to.deep.equal(['juliet@a.example  p&s ']);
  });

  for (const name of ['', '@', 'juliet@a.example', 'a b', 'a/b', '&quot;', 'x'.repeat(1024), '&#x200B;']) {
    it(`does not take the name '${name.slice(0, 20)}', and does not count it`, async () => {
      for (let tries = 0; tries < 3; tries++) expect(await ask(form(name))).to.match(error('not-acceptable'));
      expect(await ask(form('juliet'))).to.equal(done);
      expect(created).to.deep.equal(['juliet@a.example secret']);
    });
  }

  it('needs both name and password, in the right namespace', async () => {
    for (const content of [
      '',
      '<username>juliet</username>',
      '<password>p</password>',
      "<username xmlns='urn:x'>j</username><password>p</password>",
    ]) {
      expect(await ask(`<iq id='1' type='set'><query xmlns='${space}'>${content}</query></iq>`)).to.match(
        error('not-acceptable'),
      );
    }
    expect(created).to.deep.equal([]);
  });

  it('is limited for each network, by time (XEP-0077 §5)', async () => {
    for (const name of ['a', 'b']) expect(await ask(form(name))).to.equal(done);
    expect(await ask(form('c'))).to.match(error('resource-constraint'));
    expect(await ask(get)).to.contain('<username/>');
    expect(await ask(form('d'), { remoteAddress: '192.0.2.2' })).to.equal(done);
    clock.advance(4999);
    expect(await ask(form('c'))).to.match(error('resource-constraint'));
    clock.advance(1);
    expect(await ask(form('c'))).to.equal(done);
    expect(await ask(form('e'))).to.match(error('resource-constraint'));
    for (const address of ['2001:db8::1', '2001:db8::2'])
      expect(await ask(form(address.slice(-1)), { remoteAddress: address })).to.equal(done);
    expect(await ask(form('f'), { remoteAddress: '2001:db8::3' })).to.match(error('resource-constraint'));
  });

  it('counts names that are taken, so that nobody can look for accounts (XEP-0077 §3.1)', async () => {
    create = () => Promise.reject(new StorageError('conflict', 'there is one'));
    for (let tries = 0; tries < 2; tries++) expect(await ask(form('juliet'))).to.match(error('conflict'));
    expect(await ask(form('juliet'))).to.match(error('resource-constraint'));
  });

  it('throws on what is no fault of the client', async () => {
    create = () => Promise.reject(new Error('no disk'));
    const outcome = await ask(form('juliet')).then(
      () => 'answered',
      (reason: unknown) => String(reason),
    );
    expect(outcome).to.equal('Error: no disk');
  });

  it('is refused where it is not offered', async () => {
    for (const text of [get, form('juliet')])
      expect(await ask(text, { offered: false })).to.match(error('not-allowed'));
    expect(created).to.deep.equal([]);
  });

  it('answers requests that are none with an error, and answers not at all', async () => {
    for (const attributes of ["id='1'", "id='1' type='push'"]) {
      expect(await ask(`<iq ${attributes}><query xmlns='${space}'/></iq>`)).to.match(error('bad-request'));
    }
    expect(await ask(form('juliet').replace(" id='1'", ''))).to.match(/^<iq type="error">.*<bad-request /);
    expect(created).to.deep.equal([]);
    for (const type of ['result', 'error'])
      expect(await ask(`<iq id='1' type='${type}'><query xmlns='${space}'/></iq>`)).to.equal('');
  });

  it('tells that accounts need approval', async () => {
    expect(await ask(get)).not.to.contain('approved');
    options.needsApproval = true;
    expect(await ask(get)).to.contain('when the operator has approved your account');
  });

  describe('with questions (XEP-0158)', () => {
    const questions = [{ question: 'Which river?', answers: ['Adige', 'the Adige'] }];
    const submit = (fields: Readonly<Record<string, string>>) => {
      const each = Object.entries(fields).map(
        ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
      );
      return `<iq id='1' type='set'><query xmlns='${space}'><x xmlns='jabber:x:data' type='submit'>${each.join('')}</x></query></iq>`;
    };
    const given = { FORM_TYPE: space, username: 'juliet', password: 'secret' };
    beforeEach(() => {
      options.questions = questions;
    });

    it('has a form with one of them, beside the fields for clients without forms', async () => {
      const form = await newStream()(get);
      expect(form).to.contain('<username/><password/><x xmlns="jabber:x:data" type="form">');
      expect(form).to.contain('<field var="qa" type="text-single" label="Which river?"><required/></field>');
      expect(form).to.contain('<field var="FORM_TYPE" type="hidden"><value>jabber:iq:register</value></field>');
    });

    for (const answer of ['Adige', ' the  ADIGE '])
      it(`takes the answer '${answer}'`, async () => {
        const client = newStream();
        await client(get);
        expect(await client(submit({ ...given, qa: answer }))).to.equal(done);
        expect(created).to.deep.equal(['juliet@a.example secret']);
      });

    const wrong: readonly (readonly [what: string, request: string])[] = [
      ['a wrong answer', submit({ ...given, qa: 'Po' })],
      ['no answer', submit(given)],
      ['no form', form('juliet')],
    ];
    for (const [what, request] of wrong)
      it(`takes ${what} for a mistake, and asks again`, async () => {
        const client = newStream();
        await client(get);
        expect(await client(request)).to.match(error('not-acceptable'));
        expect(await client(submit({ ...given, qa: 'Adige' })), 'the question is over').to.match(
          error('not-acceptable'),
        );
        await client(get);
        expect(await client(submit({ ...given, qa: 'Adige' }))).to.equal(done);
      });

    it('takes no answer of one who has not been asked', async () => {
      expect(await newStream()(submit({ ...given, qa: 'Adige' }))).to.match(error('not-acceptable'));
    });

    it('is over for an address with five wrong answers, for a while', async () => {
      for (let tries = 0; tries < 5; tries++)
        expect(await newStream()(form('juliet'))).to.match(error('not-acceptable'));
      expect(await newStream()(form('juliet'))).to.match(error('resource-constraint'));
      expect(await newStream('192.0.2.2')(form('juliet'))).to.match(error('not-acceptable'));
      clock.advance(2000);
      expect(await newStream()(form('juliet'))).to.match(error('not-acceptable'));
    });
  });
});
