import { formElement, ReceivedForm } from '../protocol/data-form.ts';
import type { Capabilities, DiscoItem } from '../protocol/disco.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { attribute, childElements, type Element, nsOf, xml } from '../xml/element.ts';
import { badPayload, type Command, type CommandStage, type CommandStep } from './command.ts';
import { CommandSessions } from './command-sessions.ts';
import type { IqContent, IqEnds, IqHandlerFor } from './iq-table.ts';

const actions = ['cancel', 'complete', 'execute', 'next', 'prev'] as const;
type Action = (typeof actions)[number];

/** The ad-hoc commands of one entity, the domain or a service (XEP-0050): lists, describes and executes them. */
export class CommandDispatcher<Ends extends IqEnds> {
  readonly #commands: () => readonly Command<Ends>[];
  readonly #sessions: CommandSessions;

  /** `commands` is read at each use. Throws an Error if two of them have the same node. */
  constructor(commands: () => readonly Command<Ends>[], clock: Pick<Clock, 'monotonicMs'>) {
    const nodes = commands().map(({ node }) => node);
    if (new Set(nodes).size < nodes.length) throw new Error('two commands have the same node');
    this.#commands = commands;
    this.#sessions = new CommandSessions(clock);
  }

  /** The handler that executes the commands. */
  handler(scopes: readonly Ends['scope'][]): IqHandlerFor<Ends> {
    return { name: 'command', ns: ns.commands, type: 'set', scopes, handle: (request) => this.#execute(request) };
  }

  /** The commands that a requester may execute (XEP-0050 §2.2). */
  async items(ends: Ends): Promise<readonly DiscoItem[]> {
    const admitted: DiscoItem[] = [];
    for (const { node, name, admits } of this.#commands()) {
      if (await admits(ends)) admitted.push({ jid: ends.to, node, name });
    }
    return admitted;
  }

  /** The capabilities of the list and of each command, by node (XEP-0050 §2.3). */
  nodes(): ReadonlyMap<string, Capabilities> {
    const described = this.#commands().map(({ node, name }) => {
      const identities = [{ category: 'automation', type: 'command-node', name }];
      return [node, { identities, features: [ns.commands, ns.dataForm] }] as const;
    });
    const list = { identities: [{ category: 'automation', type: 'command-list' }], features: [ns.commands] };
    return new Map<string, Capabilities>([[ns.commands, list], ...described]);
  }

  async #execute(request: Ends & IqContent): Promise<Element> {
    const { payload } = request;
    const node = attribute(payload, 'node');
    const found = this.#commands().find((one) => one.node === node);
    if (!found) throw StanzaError.itemNotFound('unknown command');
    if (!(await found.admits(request))) throw StanzaError.forbidden(`the command is for ${found.audience}`);
    const action = actionOf(payload);
    const id = attribute(payload, 'sessionid');
    if (found.isStateless) return this.#executeAtOnce(found, action, id ?? randomId(), request);
    if (id !== undefined) return this.#continue(found, action, id, request);
    if (action !== 'execute') throw malformed('bad-action');
    return this.#answer(request, found, await started(found, request));
  }

  /** Shows the only form, or takes it. The server keeps no state in between. */
  async #executeAtOnce(found: Command<Ends>, action: Action, id: string, request: Ends & IqContent): Promise<Element> {
    if (action === 'cancel') return commandElement(found.node, id, 'canceled');
    if (action === 'prev' || action === 'next') throw malformed('bad-action');
    const first = await started(found, request);
    const form = formIn(request.payload);
    const step = isStage(first) && form ? await first.submit(ReceivedForm.fromElement(form)) : first;
    return isStage(step) ? stageElement(found.node, id, step) : resultElement(found.node, id, step);
  }

  async #continue(found: Command<Ends>, action: Action, id: string, request: Ends & IqContent): Promise<Element> {
    const stage = this.#sessions.take(request.from, found.node, id);
    if (action === 'cancel') return commandElement(found.node, id, 'canceled');
    try {
      return this.#answer(request, found, await follow(stage, action, request.payload), id);
    } catch (error) {
      // The requester may correct the form.
      if (error instanceof StanzaError) this.#sessions.keep(request.from, found.node, stage, id);
      throw error;
    }
  }

  #answer({ from }: Ends, { node }: Command<Ends>, step: CommandStep, id?: string): Element {
    if (!isStage(step)) return resultElement(node, id ?? randomId(), step);
    return stageElement(node, this.#sessions.keep(from, node, step, id), step);
  }
}

async function started<Ends>({ start, audience }: Command<Ends>, ends: Ends): Promise<CommandStep> {
  const step = await start(ends);
  if (step === undefined) throw StanzaError.forbidden(`the command is for ${audience}`);
  return step;
}

/** Takes one of the actions that a stage offers. */
function follow(stage: CommandStage, action: Action, payload: Element) {
  if (action === 'prev') {
    if (!stage.previous) throw malformed('bad-action');
    return stage.previous();
  }
  if (action !== 'execute' && action !== defaultAction(stage)) throw malformed('bad-action');
  const form = formIn(payload);
  if (!form) throw badPayload();
  return stage.submit(ReceivedForm.fromElement(form));
}

function isStage(step: CommandStep): step is CommandStage {
  return 'submit' in step;
}

function actionOf(payload: Element): Action {
  const named = attribute(payload, 'action') ?? 'execute';
  const action = actions.find((one) => one === named);
  if (!action) throw malformed('malformed-action');
  return action;
}

function formIn(payload: Element): Element | undefined {
  return childElements(payload).find((child) => child.getName() === 'x' && nsOf(child) === ns.dataForm);
}

function defaultAction({ isLast }: CommandStage): 'complete' | 'next' {
  return isLast ? 'complete' : 'next';
}

function stageElement(node: string, id: string, stage: CommandStage): Element {
  const execute = defaultAction(stage);
  const offered = xml('actions', { execute }, stage.previous && xml('prev'), xml(execute));
  return commandElement(node, id, 'executing', offered, formElement(stage.form));
}

function resultElement(node: string, id: string, { note, form }: Exclude<CommandStep, CommandStage>): Element {
  const said = note && xml('note', { type: note.type }, note.text);
  return commandElement(node, id, 'completed', said, form && formElement(form));
}

function commandElement(node: string, id: string, status: string, ...children: (Element | undefined)[]): Element {
  return xml('command', { xmlns: ns.commands, node, sessionid: id, status }, ...children);
}

/** XEP-0050 §4.4. */
function malformed(condition: 'bad-action' | 'malformed-action'): StanzaError {
  return StanzaError.badRequest(undefined, { extra: xml(condition, { xmlns: ns.commands }) });
}
