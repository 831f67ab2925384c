import { expect } from 'chai';
import { type DataForm, formElement, ReceivedForm } from '../../src/protocol/data-form.ts';
import {
  checkPreconditionNames,
  configForm,
  configured,
  defaultNodeConfig,
  meetsPreconditions,
  type NodeConfig,
} from '../../src/protocol/pubsub-config.ts';
import { serialize } from '../../src/xml/serialize.ts';

const values = (fields: Record<string, string | string[]>) =>
  new Map(Object.entries(fields).map(([name, value]) => [`pubsub#${name}`, [value].flat()]));

describe('the configuration of a node (XEP-0060 §16.4.4)', () => {
  it('has the defaults of PEP (XEP-0163 §5)', () => {
    const { accessModel, sendLastItem, deliverNotifications, deliverPayloads } = defaultNodeConfig;
    expect([accessModel, sendLastItem, deliverNotifications, deliverPayloads]).to.deep.equal([
      'presence',
      'on_sub_and_presence',
      true,
      true,
    ]);
  });

  const understood: readonly (readonly [string, string | string[], Partial<NodeConfig>])[] = [
    ['title', 'A & B', { title: 'A & B' }],
    ['type', 'urn:x', { payloadType: 'urn:x' }],
    ['access_model', 'whitelist', { accessModel: 'whitelist' }],
    ['access_model', 'open', { accessModel: 'open' }],
    ['roster_groups_allowed', ['b', 'a', 'b'], { rosterGroups: ['a', 'b'] }],
    ['roster_groups_allowed', [], { rosterGroups: [] }],
    ['persist_items', 'false', { persistItems: false }],
    ['persist_items', '0', { persistItems: false }],
    ['persist_items', 'true', { persistItems: true }],
    ['max_items', '7', { maxItems: 7 }],
    ['max_items', 'max', { maxItems: 'max' }],
    ['max_items', '999', { maxItems: 999 }],
    ['max_items', '1000', { maxItems: 'max' }],
    ['max_items', '99999999999999999999', { maxItems: 'max' }],
    ['send_last_published_item', 'never', { sendLastItem: 'never' }],
    ['deliver_payloads', '0', { deliverPayloads: false }],
    ['publish_model', 'publishers', {}],
    ['notification_type', 'headline', {}],
    ['item_expire', '100', {}],
  ];
  for (const [name, value, change] of understood) {
    it(`understands ${name} = ${value}`, () => {
      expect(configured(defaultNodeConfig, values({ [name]: value }))).to.deep.equal({
        ...defaultNodeConfig,
        ...change,
      });
    });
  }

  const refused: readonly (readonly [string, string | string[]])[] = [
    ['access_model', 'authorize'],
    ['access_model', ''],
    ['access_model', ['open', 'presence']],
    ['persist_items', 'yes'],
    ['persist_items', []],
    ['persist_items', ['1', '1']],
    ['max_items', '0'],
    ['max_items', '-1'],
    ['max_items', '1.5'],
    ['max_items', ''],
    ['max_items', ['1', '2']],
    ['send_last_published_item', 'always'],
    ['title', 'x'.repeat(1025)],
    ['title', ['a', 'b']],
    ['roster_groups_allowed', ['x'.repeat(1000), 'y'.repeat(1000)]],
    ['publish_model', 'open'],
    ['notification_type', 'normal'],
    ['node_type', 'collection'],
  ];
  for (const [name, value] of refused) {
    it(`refuses ${name} = ${String(value).slice(0, 20)}`, () => {
      expect(() => configured(defaultNodeConfig, values({ [name]: value }))).to.throw(/not-acceptable/);
    });
  }

  it('says that an access model is not supported (XEP-0060 §8.1.2)', () => {
    const error = () => configured(defaultNodeConfig, values({ access_model: 'authorize' }));
    expect(error).to.throw().with.property('extra').with.property('name', 'unsupported-access-model');
  });

  it('is the same after a way through its form', () => {
    const config: NodeConfig = {
      title: 't',
      description: 'd',
      payloadType: 'p',
      accessModel: 'roster',
      rosterGroups: ['a', 'b'],
      persistItems: false,
      maxItems: 'max',
      sendLastItem: 'on_sub',
      deliverNotifications: false,
      deliverPayloads: false,
      notifyConfig: true,
      notifyDelete: false,
      notifyRetract: false,
    };
    const form: DataForm = { ...configForm(config, 'form'), type: 'submit' };
    const { fields, formType } = ReceivedForm.fromElement(formElement(form));
    expect(formType).to.equal('http://jabber.org/protocol/pubsub#node_config');
    expect(configured(defaultNodeConfig, fields)).to.deep.equal(config);
    expect(meetsPreconditions(config, fields)).to.equal(true);
  });

  it('shows what can be chosen', () => {
    const text = serialize(formElement(configForm(defaultNodeConfig, 'form')));
    expect(text).to.contain('<option><value>whitelist</value></option>').and.not.to.contain('authorize');
  });
});

describe('publish options (XEP-0060 §7.1.5)', () => {
  const config: NodeConfig = { ...defaultNodeConfig, maxItems: 'max', rosterGroups: ['a', 'b'], title: 'x' };
  const cases: readonly (readonly [string, string | string[], boolean])[] = [
    ['persist_items', '1', true],
    ['persist_items', 'true', true],
    ['persist_items', '0', false],
    ['persist_items', 'maybe', false],
    ['max_items', 'max', true],
    ['max_items', '1000', true],
    ['max_items', '5000', true],
    ['max_items', '10', false],
    ['access_model', 'presence', true],
    ['access_model', 'open', false],
    ['access_model', 'authorize', false],
    ['roster_groups_allowed', ['b', 'a'], true],
    ['roster_groups_allowed', ['a'], false],
    ['title', 'x', true],
    ['title', [], false],
    ['publish_model', 'publishers', true],
    ['publish_model', 'open', false],
    ['send_last_published_item', 'on_sub_and_presence', true],
  ];
  for (const [name, value, met] of cases) {
    it(`${name} = ${value} is ${met ? 'met' : 'not met'}`, () => {
      expect(meetsPreconditions(config, values({ [name]: value }))).to.equal(met);
    });
  }

  it('are all met, or none is', () => {
    expect(meetsPreconditions(config, values({ max_items: 'max', access_model: 'open' }))).to.equal(false);
    expect(meetsPreconditions(config, new Map())).to.equal(true);
  });

  it('have known names', () => {
    expect(() => checkPreconditionNames(values({ max_items: 'max' }))).not.to.throw();
    expect(() => checkPreconditionNames(new Map([['FORM_TYPE', ['x']]]))).not.to.throw();
    expect(() => checkPreconditionNames(values({ item_expire: '1' }))).to.throw(/not-acceptable/);
  });
});
