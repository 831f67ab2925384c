import { expect } from 'chai';
import { type Health, healthRoutes } from '../../../src/web/http/health.ts';

const no = () => false;
const yes = () => true;
const fine: Health = { stopping: no, storageFailed: no, diskFull: no, certificateExpired: no };

describe('The routes of probes', () => {
  const answers = (state: Partial<Health>) =>
    healthRoutes({ ...fine, ...state }).map((route) => {
      const { status, body } = route.handle({} as never) as { status: number; body: string };
      return `${route.path} ${status} ${body.trim()}`;
    });
  const cases: readonly (readonly [state: Partial<Health>, health: string, readiness: string])[] = [
    [{}, '200 ok', '200 ok'],
    [{ stopping: yes }, '503 stopping', '503 stopping'],
    [{ storageFailed: yes }, '503 storage failed', '503 storage failed'],
    [{ stopping: yes, storageFailed: yes }, '503 storage failed', '503 storage failed'],
    [{ diskFull: yes }, '200 ok', '503 disk nearly full'],
    [{ certificateExpired: yes }, '200 ok', '503 certificate expired'],
  ];
  for (const [state, health, readiness] of cases)
    it(`answer ${health} and ${readiness} in the state ${Object.keys(state).join(' and ') || 'of a healthy server'}`, () => {
      expect(answers(state)).to.deep.equal([`/healthz ${health}`, `/readyz ${readiness}`]);
    });
});
