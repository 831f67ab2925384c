import type { SrvRecord } from './resolver.ts';

/** Orders records as in RFC 2782: by priority, and within a priority randomly in proportion to weight. */
export function inOrder<T extends { readonly record: SrvRecord }>(all: readonly T[], random: () => number): T[] {
  const byPriority = Map.groupBy(all, ({ record }) => record.priority);
  const priorities = [...byPriority.keys()].sort((one, other) => one - other);
  return priorities.flatMap((priority) => drawn(byPriority.get(priority) ?? [], random));
}

function drawn<T extends { readonly record: SrvRecord }>(equals: readonly T[], random: () => number): T[] {
  // Records without weight come first, so that they have a chance, too (RFC 2782, "Weight").
  const left = [...equals].sort((one, other) => Number(one.record.weight > 0) - Number(other.record.weight > 0));
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(draw(left, random), 1));
  return order;
}

function draw(left: readonly { readonly record: SrvRecord }[], random: () => number): number {
  const total = left.reduce((sum, { record }) => sum + record.weight, 0);
  const mark = Math.floor(random() * (total + 1));
  let sum = 0;
  const index = left.findIndex(({ record }) => {
    sum += record.weight;
    return sum >= mark;
  });
  return Math.max(0, index);
}
