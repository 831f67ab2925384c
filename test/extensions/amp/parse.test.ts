import { expect } from 'chai';
import { readRequest } from '../../../src/extensions/amp/element/parse.ts';
import { Refusal } from '../../../src/extensions/amp/element/refusal.ts';
import { ampXml, message, rule } from './cast.ts';

const amp = ampXml(['drop deliver stored']);
const open = "<amp xmlns='http://jabber.org/protocol/amp'";
const oneRule = "<rule action='drop' condition='deliver' value='stored'/>";

describe('a request (D-1)', () => {
  const none: readonly [title: string, content: string, attributes?: string][] = [
    ['a message without <amp/>', '<body>a</body>'],
    ['an error', amp, "id='m1' type='error'"],
    ['a message with an <error/>', `${amp}<error type='cancel'/>`],
    ['a report', ampXml(['notify deliver stored'], " status='notify'")],
    ['an <amp/> in another namespace', `<amp xmlns='urn:other'>${oneRule}</amp>`],
    ['an <amp/> in no namespace of its own', `<amp>${oneRule}</amp>`],
    ['an <amp/> in a forwarded message', `<forwarded xmlns='urn:xmpp:forward:0'><message>${amp}</message></forwarded>`],
    ['an <amp/> in a carbon', `<sent xmlns='urn:xmpp:carbons:2'>${amp}</sent>`],
    ['an element of AMP that is no <amp/>', "<rule xmlns='http://jabber.org/protocol/amp'/>"],
  ];
  for (const [title, content, attributes] of none) {
    it(`${title} is not a request`, () => expect(readRequest(message(content, attributes))).to.equal(undefined));
  }

  const malformed: readonly [title: string, content: string, attributes?: string][] = [
    ['no id (N-1)', amp, "type='chat'"],
    ['an empty id (N-1)', amp, "id=''"],
    ['no rules (N-35)', `${open}/>`],
    ['only other elements (N-35)', `${open}><rules/><rule xmlns='urn:other'/></amp>`],
    ['a second <amp/>', `${amp}${amp}`],
    ['per-hop="yes" (D-18)', `${open} per-hop='yes'>${oneRule}</amp>`],
    ['per-hop="TRUE" (D-18)', `${open} per-hop='TRUE'>${oneRule}</amp>`],
    ['per-hop="" (D-18)', `${open} per-hop=''>${oneRule}</amp>`],
  ];
  for (const [title, content, attributes] of malformed) {
    it(`one with ${title} is refused`, () => {
      expect(readRequest(message(content, attributes))).to.be.instanceOf(Refusal);
    });
  }

  it('a report beside a request does not count', () => {
    const report = ampXml(['alert deliver none'], " status='alert'");
    expect(readRequest(message(report + amp))).to.deep.include({ rules: [rule('drop deliver stored')] });
  });
});

describe('reading rules', () => {
  it('keeps their order and attributes as written (N-18, N-39)', () => {
    const content =
      `${open}><rule value='Ünï &amp; &lt;x&gt;' condition='b' action='a'/><other/><rule action=''/>` +
      `<rule xmlns='urn:other' action='x'/><rule condition='deliver' extra='1'>text</rule></amp>`;
    expect(readRequest(message(content))).to.deep.equal({
      rules: [
        { action: 'a', condition: 'b', value: 'Ünï & <x>' },
        { action: '', condition: undefined, value: undefined },
        { action: undefined, condition: 'deliver', value: undefined },
      ],
      perHop: false,
      from: undefined,
      to: undefined,
    });
  });

  it('reads prefixed elements like others', () => {
    const content = `<a:amp xmlns:a='http://jabber.org/protocol/amp'><a:rule action='drop' condition='deliver' value='stored'/></a:amp>`;
    expect(readRequest(message(content))).to.deep.include({ rules: [rule('drop deliver stored')] });
  });

  it('reads who the servers before say it is from and to', () => {
    const content = `${open} from='a@b/c' to='d@e'>${oneRule}</amp>`;
    expect(readRequest(message(content))).to.deep.include({ from: 'a@b/c', to: 'd@e' });
  });

  for (const [value, perHop] of [
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ] as const) {
    it(`reads per-hop='${value}' (N-10, D-18)`, () => {
      expect(readRequest(message(`${open} per-hop='${value}'>${oneRule}</amp>`))).to.deep.include({ perHop });
    });
  }

  it('reads attributes named like parts of objects as any other', () => {
    const content = `${open} __proto__='x' constructor='y'><rule __proto__='x' action='constructor' condition='__proto__' value='toString'/></amp>`;
    expect(readRequest(message(content))).to.deep.include({ rules: [rule('constructor __proto__ toString')] });
  });
});
