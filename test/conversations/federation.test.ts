import { expect } from 'chai';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';

for (const by of ['certificate', 'dialback'] as const) {
  describe(`Two servers that know each other by ${by}`, () => {
    let a: FederatedServer;
    let b: FederatedServer;
    let romeo: TestClient;
    let juliet: TestClient;

    before(async () => {
      [a, b] = (await FederatedServer.startAll(['a.example', 'b.example'], by)) as [FederatedServer, FederatedServer];
      romeo = await a.arrives('romeo');
      juliet = await b.arrives('juliet');
    });

    after(async () => {
      await a.stop();
      await b.stop();
    });

    it('carry messages both ways', async () => {
      romeo.sends('<message to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>');
      await juliet.receives(
        '<message from="romeo@a.example/r" to="juliet@b.example" type="chat" id="m1"><body>hi</body></message>',
      );
      juliet.sends('<message to="romeo@a.example/r" id="m2"><body>hi</body><x xmlns="urn:x">y</x></message>');
      await romeo.receives(
        '<message from="juliet@b.example/r" to="romeo@a.example/r" id="m2"><body>hi</body><x xmlns="urn:x">y</x></message>',
      );
    });

    it('know each other by that', () => {
      const methods = [...a.log.lines, ...b.log.lines].filter((line) => line.includes('peer authenticated'));
      expect(methods).to.have.lengthOf(2);
      for (const line of methods) expect(line).to.contain(`"method":"${by}"`);
    });
  });
}
