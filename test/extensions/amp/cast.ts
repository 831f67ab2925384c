import { Refusal } from '../../../src/extensions/amp/element/refusal.ts';
import type { WrittenRule } from '../../../src/extensions/amp/element/written-rules.ts';
import { type ArmedRuleset, arm } from '../../../src/extensions/amp/rules/armed-rules.ts';
import type { Rule } from '../../../src/extensions/amp/rules/rule.ts';
import { validate } from '../../../src/extensions/amp/rules/rule.ts';
import { vocabulary } from '../../../src/extensions/amp/rules/vocabulary.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { ns } from '../../../src/protocol/namespaces.ts';
import type { Stanza } from '../../../src/protocol/stanza.ts';
import { Account } from '../../../src/routing/account.ts';
import { readStanza } from '../../protocol/read-stanza.ts';
import { StubSession } from '../../support/stub-session.ts';

export const romeo = Jid.parse('romeo@montague.example/orchard');
export const juliet = Jid.parse('juliet@capulet.example');
export const balcony = juliet.withResource('balcony');
export const capulet = Jid.parse('capulet.example');
export const montague = Jid.parse('montague.example');

/** The current time of all tests, and times around it. */
export const now = '2026-03-01T12:00:00Z';
export const nowMs = Date.parse(now);
export const past = '2026-03-01T11:59:59.999Z';
export const future = '2026-03-01T12:00:00.001Z';

export const everything = vocabulary();
export const limits = { vocabulary: everything, maxRules: 20 };

/** A rule from its three words: `drop deliver stored`. */
export function rule(words: string): WrittenRule {
  const [action, condition, value] = words.split(' ');
  return { action, condition, value };
}

export function written(...rules: string[]) {
  return { rules: rules.map(rule), perHop: false, from: undefined, to: undefined };
}

export function understood(...rules: string[]): readonly Rule[] {
  const ruleset = validate(written(...rules), { ...limits, maxRules: 1000 });
  if (ruleset instanceof Refusal) throw new Error(`not valid: ${rules}`);
  return ruleset.rules;
}

/** Armed rules of the sender. */
export function armed(...rules: string[]): ArmedRuleset {
  return arm({ rules: understood(...rules), perHop: false }, 'sender');
}

/** The words of a rule that has fired. */
export function words(fired: Rule | undefined): string | undefined {
  return fired && `${fired.action.name} ${fired.condition.name} ${fired.value}`;
}

export function ruleXml(words: string): string {
  const { action, condition, value } = rule(words);
  return `<rule action="${action}" condition="${condition}" value="${value}"/>`;
}

export function ampXml(rules: readonly string[], attributes = ''): string {
  return `<amp xmlns="${ns.amp}"${attributes}>${rules.map(ruleXml).join('')}</amp>`;
}

/** A message as a client sends it. */
export function message(content: string, attributes = "id='m1' type='chat'"): Stanza {
  return readStanza(`<message ${attributes}>${content}</message>`);
}

/** Juliet's account and its sessions: each resource with its priority, undefined for a session without presence. */
export function sessionsOf(priorities: Readonly<Record<string, number | undefined>>): StubSession[] {
  const account = new Account(juliet, { roster: [], rosterVersion: 0, blocked: [] });
  return Object.entries(priorities).map(([resource, priority]) => {
    const session = new StubSession(account, resource);
    if (priority !== undefined) {
      session.presence.available = readStanza('<presence/>');
      session.presence.priority = priority;
    }
    return session;
  });
}
