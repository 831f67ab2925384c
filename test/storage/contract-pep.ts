import { expect } from 'chai';
import type { PepItem, Publication } from '../../src/storage/pep.ts';
import type { Subject } from './contract.ts';
import { rejection } from './rejection.ts';

const node = (name: string, config = '{}') => ({ name, config, createdAtMs: 7 });
const item = (id: string, payload = `<p>${id}</p>`): PepItem => ({ id, publishedAtMs: 5, payload });
const ample: Publication = { maxItems: 100, maxBytes: 10_000 };

/** The contract of personal eventing: nodes, items, subscribers, and what clients want. */
export function describePep(subject: Subject): void {
  describe('nodes and items', () => {
    it('are created, configured and removed', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      await pep.create(owner, node('urn:a'));
      await pep.create(owner, node('urn:b', '{"x":1}'));
      await pep.configure(owner, 'urn:a', '{"y":2}');
      expect(await pep.nodes(owner)).to.deep.equal([node('urn:a', '{"y":2}'), node('urn:b', '{"x":1}')]);
      expect((await rejection(pep.create(owner, node('urn:a')))).code).to.equal('conflict');
      await pep.remove(owner, 'urn:a');
      expect(await pep.nodes(owner)).to.deep.equal([node('urn:b', '{"x":1}')]);
    });

    it('come in the order of publication, and one published again moves to the end', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      for (const id of ['a', 'b', 'c', 'a'])
        await pep.publish(owner, 'n', { ...ample, create: node('n'), items: [item(id)] });
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['b', 'c', 'a']);
      expect(await pep.items(owner, 'n', { newest: 2 })).to.deep.equal([item('c'), item('a')]);
      expect(await pep.items(owner, 'n', { ids: ['a', 'x', 'b'] })).to.deep.equal([item('a'), item('b')]);
      expect(await pep.items(owner, 'n', {})).to.have.length(3);
    });

    it('keep the newest items only, never less than the one just published', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      for (const id of ['a', 'b', 'c', 'd'])
        await pep.publish(owner, 'n', { ...ample, create: node('n'), items: [item(id)], maxItems: 2 });
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['c', 'd']);
      await pep.publish(owner, 'n', { ...ample, items: [item('e')], maxItems: 1 });
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['e']);
    });

    it('publish all or nothing beyond the quota, over all nodes of the account', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      const large = { ...ample, maxBytes: 10 };
      await pep.publish(owner, 'n', { ...large, create: node('n'), items: [item('a', '12345678')] });
      const second = pep.publish(owner, 'm', { ...large, create: node('m'), items: [item('b', '123')] });
      expect((await rejection(second)).code).to.equal('quota');
      expect((await pep.nodes(owner)).map(({ name }) => name)).to.deep.equal(['n']);
      await pep.publish(owner, 'n', { ...large, items: [item('a', '1234567890')] });
      await pep.purge(owner, 'n');
      await pep.publish(owner, 'm', { ...large, create: node('m'), items: [item('b', '1234567890')] });
    });

    it('change together, or not at all', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      const large = { ...ample, maxBytes: 20 };
      await pep.publish(owner, 'n', { ...large, create: node('n'), items: [item('a', '12345'), item('b', '12345')] });
      await pep.publish(owner, 'n', { ...large, items: [item('c', '12345'), item('d', '12345')], removed: ['a', 'x'] });
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['b', 'c', 'd']);
      const third = pep.publish(owner, 'n', { ...large, items: [item('e', '1234567890123456')], removed: ['b'] });
      expect((await rejection(third)).code).to.equal('quota');
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['b', 'c', 'd']);
      await pep.publish(owner, 'n', { ...large, items: [item('e', '12345')] });
    });

    it('are retracted and purged', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      for (const id of ['a', 'b', 'c'])
        await pep.publish(owner, 'n', { ...ample, create: node('n'), items: [item(id)] });
      expect(await pep.retract(owner, 'n', 'b')).to.deep.equal([]);
      expect(await pep.retract(owner, 'n', 'b')).to.equal(undefined);
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['a', 'c']);
      await pep.purge(owner, 'n');
      expect(await pep.itemIds(owner, 'n')).to.deep.equal([]);
      await pep.publish(owner, 'n', { ...ample, items: [item('d')] });
      expect(await pep.itemIds(owner, 'n')).to.deep.equal(['d']);
    });

    it('answer the last items of many nodes at once', async () => {
      const { pep } = subject.storage;
      const [one, other] = [await subject.newAccount(), await subject.newAccount()];
      for (const id of ['a', 'b']) await pep.publish(one, 'n', { ...ample, create: node('n'), items: [item(id)] });
      await pep.create(other, node('n'));
      const found = await pep.lastItems([
        { owner: other, node: 'n' },
        { owner: one, node: 'n' },
        { owner: one, node: 'm' },
        { owner: 'nobody@x.example', node: 'n' },
      ]);
      expect(found).to.deep.equal([undefined, item('b'), undefined, undefined]);
    });

    it('that do not exist are empty, and refuse changes', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      expect(await pep.nodes('nobody@x.example')).to.deep.equal([]);
      expect(await pep.items(owner, 'n', {})).to.deep.equal([]);
      expect(await pep.itemIds(owner, 'n')).to.deep.equal([]);
      expect(await pep.subscribers(owner, 'n')).to.deep.equal([]);
      for (const change of [
        () => pep.create('nobody@x.example', node('n')),
        () => pep.configure(owner, 'n', '{}'),
        () => pep.publish(owner, 'n', { ...ample, items: [item('a')] }),
        () => pep.publish('nobody@x.example', 'n', { ...ample, create: node('n'), items: [item('a')] }),
        () => pep.retract(owner, 'n', 'a'),
        () => pep.purge(owner, 'n'),
        () => pep.remove(owner, 'n'),
        () => pep.subscribe(owner, 'n', 'a@x.example', 10),
        () => pep.unsubscribe(owner, 'n', 'a@x.example'),
      ])
        expect((await rejection(change())).code).to.equal('not-found');
    });

    it('go with their account', async () => {
      const { pep, accounts } = subject.storage;
      const owner = await subject.newAccount();
      await pep.publish(owner, 'n', { ...ample, create: node('n'), items: [item('a')] });
      await pep.subscribe(owner, 'n', 'a@x.example', 10);
      await accounts.remove(owner);
      expect(await pep.nodes(owner)).to.deep.equal([]);
      expect(await pep.items(owner, 'n', {})).to.deep.equal([]);
      expect(await pep.subscribers(owner, 'n')).to.deep.equal([]);
    });
  });

  describe('subscribers of nodes', () => {
    it('are told with every change', async () => {
      const { pep } = subject.storage;
      const owner = await subject.newAccount();
      await pep.create(owner, node('n'));
      for (const jid of ['b@x.example/r', 'a@x.example', 'a@x.example']) await pep.subscribe(owner, 'n', jid, 2);
      const both = ['a@x.example', 'b@x.example/r'];
      expect(await pep.subscribers(owner, 'n')).to.deep.equal(both);
      expect(await pep.publish(owner, 'n', { ...ample, items: [item('a')] })).to.deep.equal(both);
      expect(await pep.publish(owner, 'n', ample)).to.deep.equal(both);
      expect(await pep.retract(owner, 'n', 'a')).to.deep.equal(both);
      expect(await pep.purge(owner, 'n')).to.deep.equal(both);
      expect((await rejection(pep.subscribe(owner, 'n', 'c@x.example', 2))).code).to.equal('quota');
      expect(await pep.unsubscribe(owner, 'n', 'a@x.example')).to.equal(true);
      expect(await pep.unsubscribe(owner, 'n', 'a@x.example')).to.equal(false);
      expect(await pep.remove(owner, 'n')).to.deep.equal(['b@x.example/r']);
    });

    it('leave with all their resources, at one owner or everywhere, where they are no members any more either', async () => {
      const { pep } = subject.storage;
      const owners = [await subject.newAccount(), await subject.newAccount()];
      for (const owner of owners) {
        await pep.create(owner, node('n', '{"x":1,"members":["a@x.example","aa@x.example"]}'));
        await pep.create(owner, node('m', '{"members":["aa@x.example"]}'));
        for (const jid of ['a@x.example', 'a@x.example/r', 'a@x.example0', 'aa@x.example'])
          await pep.subscribe(owner, 'n', jid, 10);
      }
      const [one = '', other = ''] = owners;
      await pep.unsubscribeAll('a@x.example', one);
      expect(await pep.subscribers(one, 'n')).to.deep.equal(['a@x.example0', 'aa@x.example']);
      expect(await pep.subscribers(other, 'n')).to.have.length(4);
      const known = [one, other].map((owner) => ({ owner, node: 'n' }));
      expect(await pep.forget('a@x.example')).to.have.deep.members(known);
      expect(await pep.subscribers(other, 'n')).to.deep.equal(['a@x.example0', 'aa@x.example']);
      expect((await pep.nodes(one)).map(({ config }) => config)).to.deep.equal([
        '{"x":1,"members":["aa@x.example"]}',
        '{"members":["aa@x.example"]}',
      ]);
      expect(await pep.forget('a@x.example')).to.deep.equal([]);
    });
  });

  it('remembers the wanted nodes of capabilities', async () => {
    const { pep } = subject.storage;
    expect(await pep.wantedNodes('sha-1 a')).to.equal(undefined);
    await pep.rememberWantedNodes('sha-1 a', ['urn:a', 'urn:b']);
    await pep.rememberWantedNodes('sha-1 b', []);
    expect(await pep.wantedNodes('sha-1 a')).to.deep.equal(['urn:a', 'urn:b']);
    expect(await pep.wantedNodes('sha-1 b')).to.deep.equal([]);
  });
}
