import { expect } from 'chai';
import { formElement, ReceivedForm } from '../../src/protocol/data-form.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

function read(fields: string, type = 'submit'): ReceivedForm {
  return ReceivedForm.fromElement(parseElement(`<x xmlns='jabber:x:data' type='${type}'>${fields}</x>`));
}

function expectBadRequest(run: () => unknown): void {
  expect(run).to.throw(StanzaError).with.property('condition', 'bad-request');
}

describe('data forms the server writes (XEP-0004)', () => {
  it('has title, instructions, FORM_TYPE (XEP-0068 §3.1) and fields in order', () => {
    const form = formElement({
      type: 'form',
      formType: 'jabber:iq:register',
      title: 'Join',
      instructions: 'Say & do',
      fields: [
        { type: 'fixed', values: ['Who are you?'] },
        { var: 'username', type: 'text-single', label: 'Name', desc: 'As you like', required: true },
        { var: 'public', type: 'boolean', values: ['0'] },
        { var: 'n', type: 'list-single', values: ['1'], options: [{ value: '1', label: 'One' }, { value: '2' }] },
      ],
    });
    expect(serialize(form)).to.equal(
      '<x xmlns="jabber:x:data" type="form"><title>Join</title><instructions>Say &amp; do</instructions>' +
        '<field var="FORM_TYPE" type="hidden"><value>jabber:iq:register</value></field>' +
        '<field type="fixed"><value>Who are you?</value></field>' +
        '<field var="username" type="text-single" label="Name"><desc>As you like</desc><required/></field>' +
        '<field var="public" type="boolean"><value>0</value></field>' +
        '<field var="n" type="list-single"><value>1</value>' +
        '<option label="One"><value>1</value></option><option><value>2</value></option></field></x>',
    );
  });

  it('writes a result with several values', () => {
    const form = formElement({
      type: 'result',
      formType: 'http://jabber.org/network/serverinfo',
      fields: [{ var: 'abuse-addresses', values: ['mailto:a@example.org', 'xmpp:a@example.org'] }],
    });
    expect(serialize(form)).to.equal(
      '<x xmlns="jabber:x:data" type="result">' +
        '<field var="FORM_TYPE" type="hidden"><value>http://jabber.org/network/serverinfo</value></field>' +
        '<field var="abuse-addresses"><value>mailto:a@example.org</value><value>xmpp:a@example.org</value></field></x>',
    );
  });

  it('says of a list that it takes other values, too (XEP-0122 §3.2.3)', () => {
    const field = { var: 'to', type: 'list-multi', open: true, options: [{ value: 'all' }] } as const;
    expect(serialize(formElement({ type: 'form', fields: [field] }))).to.equal(
      '<x xmlns="jabber:x:data" type="form"><field var="to" type="list-multi">' +
        '<validate xmlns="http://jabber.org/protocol/xdata-validate" datatype="xs:string"><open/></validate>' +
        '<option><value>all</value></option></field></x>',
    );
  });

  it('writes a submission with names and values only', () => {
    const form = formElement({ type: 'submit', formType: 'f', fields: [{ var: 'a', values: ['1'] }] });
    expect(serialize(form)).to.equal(
      '<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>f</value></field>' +
        '<field var="a"><value>1</value></field></x>',
    );
  });
});

describe('data forms the server reads (XEP-0004)', () => {
  it('gives values by name', () => {
    const form = read(
      "<field var='FORM_TYPE'><value>jabber:iq:register</value></field><field type='fixed'><value>x</value></field>" +
        "<field var='none'/><field var='empty'><value/></field><field var='two'><value>1</value><value>2</value></field>",
    );
    expect(form.type).to.equal('submit');
    expect(form.formType).to.equal('jabber:iq:register');
    expect([...form.fields.keys()]).to.deep.equal(['FORM_TYPE', 'none', 'empty', 'two']);
    expect(form.text('none')).to.equal(undefined);
    expect(form.text('absent')).to.equal(undefined);
    expect(form.text('empty')).to.equal('');
    expect(form.fields.get('two')).to.deep.equal(['1', '2']);
    expectBadRequest(() => form.text('two'));
  });

  it('keeps hostile names apart from those of objects', () => {
    const form = read("<field var='__proto__'><value>x</value></field>");
    expect(form.text('__proto__')).to.equal('x');
    expect(form.text('constructor')).to.equal(undefined);
  });

  const booleans: readonly [value: string, meaning: boolean][] = [
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ];
  for (const [value, meaning] of booleans) {
    it(`reads the boolean ${value}`, () => {
      expect(read(`<field var='b'><value>${value}</value></field>`).boolean('b')).to.equal(meaning);
    });
  }

  for (const value of ['', 'yes', 'TRUE', ' 1', '2']) {
    it(`refuses the boolean '${value}'`, () => {
      const form = read(`<field var='b'><value>${value}</value></field>`);
      expectBadRequest(() => form.boolean('b'));
    });
  }

  it('knows no boolean where there is no value', () => {
    expect(read("<field var='b'/>").boolean('b')).to.equal(undefined);
  });

  const bad = [
    "<x xmlns='jabber:x:data'/>",
    "<x xmlns='jabber:x:data' type='odd'/>",
    "<x xmlns='urn:other' type='submit'/>",
    "<y xmlns='jabber:x:data' type='submit'/>",
    "<x xmlns='jabber:x:data' type='submit'><field><value>1</value></field></x>",
    "<x xmlns='jabber:x:data' type='submit'><field var='a'/><field var='a'/></x>",
  ];
  for (const text of bad) {
    it(`refuses ${text}`, () => expectBadRequest(() => ReceivedForm.fromElement(parseElement(text))));
  }

  it('passes over fields of another namespace', () => {
    expect(read("<field xmlns='urn:other' var='a'><value>1</value></field>").fields.size).to.equal(0);
  });

  it('reads what it writes', () => {
    const fields = [
      { var: 'a', values: ['1', '', '<&>'] },
      { var: 'b', values: [] },
    ];
    const form = ReceivedForm.fromElement(formElement({ type: 'result', formType: 'f', fields }));
    expect([...form.fields]).to.deep.equal([
      ['FORM_TYPE', ['f']],
      ['a', ['1', '', '<&>']],
      ['b', []],
    ]);
  });
});
