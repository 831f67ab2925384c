import { expect } from 'chai';
import { channelBindingTypes } from '../../../../src/c2s/negotiation/channel-binding-types.ts';
import { mechanismNames, startExchange } from '../../../../src/c2s/negotiation/sasl/mechanisms.ts';
import { type SaslServices, saslContext } from '../../../../src/c2s/negotiation/sasl-services.ts';
import type { StreamFacts } from '../../../../src/c2s/negotiation/stream-feature.ts';
import { SaslFailure } from '../../../../src/protocol/sasl-failure.ts';
import { channelBindingsOf } from '../../../../src/tls/channel-binding.ts';
import { attribute, childElements } from '../../../../src/xml/element.ts';
import { ScramClient } from '../../../support/scram-client.ts';
import { challengeOf, contextOf, domain, failureOf, MemoryAccounts } from './fixture.ts';
import { derOf, handshake, type Session } from './tls-session.ts';

const told = ['tls-exporter', 'tls-server-end-point'];

const unused: SaslServices['guard'] = {
  admit: () => {},
  check: () => {},
  succeeded: () => {},
  failed: () => {},
  broken: () => SaslFailure.temporaryAuthFailure(),
};

/** What the server knows of a client that has just finished the handshake. */
function factsOf({ server }: Session): StreamFacts {
  const channelBindings = channelBindingsOf(server);
  const nothing = { identity: undefined, headerFrom: undefined, tlsStart: 'direct' } as const;
  return { host: domain, secure: true, channelBindings, remoteAddress: '127.0.0.1', ...nothing };
}

function finishedBy({ client }: Session): Buffer {
  const finished = client.getFinished();
  if (!finished) throw new Error('the handshake is not over');
  return finished;
}

describe('tls-unique', () => {
  const accounts = new MemoryAccounts();
  const romeo = { username: 'romeo', password: 'Wherefore art thou' };

  before(() => accounts.add('romeo', romeo.password));

  function servicesAllowing(bindingTypes: readonly string[]): SaslServices {
    const { credentials, pbkdf2 } = contextOf(accounts);
    return { enabled: mechanismNames, bindingTypes, withoutTls: false, credentials, pbkdf2, guard: unused };
  }

  function announcedTo(session: Session): string[] {
    const [list] = channelBindingTypes(servicesAllowing([...told, 'tls-unique'])).offer(factsOf(session));
    if (!list) throw new Error('nothing is announced');
    return childElements(list).map((one) => attribute(one, 'type') ?? '');
  }

  /** A login at the server's end of one session by a client that binds to its own end of another. */
  async function logIn(at: Session, from: Session): Promise<void> {
    const mechanism = 'SCRAM-SHA-1-PLUS';
    const channelBinding = { type: 'tls-unique', data: finishedBy(from) };
    const announced = { mechanisms: mechanismNames, channelBindings: announcedTo(at) };
    const client = new ScramClient({ mechanism, ...romeo, channelBinding, announced });
    const exchange = startExchange(mechanism, saslContext(servicesAllowing(told), factsOf(at)));
    const success = await exchange.step(client.final(challengeOf(await exchange.step(client.first()))));
    client.verify(success.kind === 'success' ? success.data : undefined);
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`under ${version} is the Finished message of the client`, async () => {
      await using session = await handshake(version, derOf('ec-sha256'));
      const unique = channelBindingsOf(session.server).find(({ type }) => type === 'tls-unique');
      expect(unique?.data().toString('hex')).to.equal(finishedBy(session).toString('hex'));
      expect(unique?.data()).to.not.deep.equal(session.server.getFinished());
    });

    it(`under ${version} lets a client in that uses it unasked`, async () => {
      await using session = await handshake(version, derOf('ec-sha256'));
      await logIn(session, session);
    });

    it(`under ${version} refuses a client whose session ends elsewhere`, async () => {
      await using session = await handshake(version, derOf('ec-sha256'));
      await using other = await handshake(version, derOf('ec-sha256'));
      expect((await failureOf(() => logIn(session, other))).condition).to.equal('not-authorized');
    });

    it(`under ${version} is never announced`, async () => {
      await using session = await handshake(version, derOf('ec-sha256'));
      const expected = version === 'TLSv1.3' ? told : ['tls-server-end-point'];
      expect(announcedTo(session)).to.deep.equal(expected);
    });
  }

  it('alone makes no -PLUS mechanism available', async () => {
    await using session = await handshake('TLSv1.2', derOf('ec-sha256'));
    const services = servicesAllowing(['tls-exporter']);
    const context = saslContext(services, factsOf(session));
    expect(context.offered.filter((name) => name.endsWith('-PLUS'))).to.deep.equal([]);
    expect(channelBindingTypes(services).needs(factsOf(session))).to.equal(false);
    const failure = await failureOf(() => startExchange('SCRAM-SHA-1-PLUS', context));
    expect(failure.condition).to.equal('invalid-mechanism');
  });
});
