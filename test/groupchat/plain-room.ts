/**
 * The rules of a room in plain words and without its types: what each step must lead to. It shares nothing with the room itself, so that
 * the two can be compared.
 */
type Affiliation = 'outcast' | 'none' | 'member' | 'admin' | 'owner';
type Role = 'none' | 'visitor' | 'participant' | 'moderator';

interface Person {
  affiliation: Affiliation;
  /** What it is in the room; `none` if it is not in it. */
  role: Role;
  /** The role that somebody gave it last, until its affiliation changes. */
  given: Role | undefined;
}

const order: readonly Affiliation[] = ['outcast', 'none', 'member', 'admin', 'owner'];
const roleOrder: readonly Role[] = ['none', 'visitor', 'participant', 'moderator'];

export class PlainRoom {
  moderated = false;
  membersOnly = false;
  readonly #people = new Map<string, Person>();

  constructor(owner: string) {
    this.person(owner).affiliation = 'owner';
    this.enters(owner);
  }

  person(name: string): Person {
    const person = this.#people.get(name) ?? { affiliation: 'none', role: 'none', given: undefined };
    this.#people.set(name, person);
    return person;
  }

  enters(name: string): string {
    const person = this.person(name);
    if (person.role !== 'none') return 'yes';
    if (person.affiliation === 'outcast') return 'forbidden';
    if (this.membersOnly && person.affiliation === 'none') return 'registration-required';
    person.role = person.given ?? this.#fresh(person);
    return 'yes';
  }

  leaves(name: string): void {
    this.person(name).role = 'none';
  }

  /** `isInside`: the author uses a client that is in the room. */
  says(name: string, { isInside }: { readonly isInside: boolean }): string {
    if (!isInside) return 'not-acceptable';
    return this.person(name).role === 'visitor' ? 'forbidden' : 'yes';
  }

  /** Says something to one occupant. `isInside`: the author uses a client that is in the room. */
  whispers(target: string, { isInside }: { readonly isInside: boolean }): string {
    if (!isInside) return 'not-acceptable';
    return this.person(target).role === 'none' ? 'item-not-found' : 'yes';
  }

  /** The server starts again. Those in the room keep their roles; what was given to the others is forgotten. */
  restarts(): void {
    for (const person of this.#people.values()) person.given = undefined;
  }

  /** Changes whether newcomers have voice, or whether only members may be in the room. */
  configures(name: string, option: 'moderated' | 'membersOnly', value: boolean): string {
    if (this.person(name).affiliation !== 'owner') return 'forbidden';
    this[option] = value;
    if (this.membersOnly) for (const one of this.#people.values()) if (one.affiliation === 'none') one.role = 'none';
    return 'yes';
  }

  makes(actor: string, target: string, affiliation: Affiliation): string {
    const [a, t] = [this.person(actor), this.person(target)];
    const isAdmin = a.affiliation === 'admin' || a.affiliation === 'owner';
    const isHigh = (one: Affiliation) => one === 'admin' || one === 'owner';
    if (affiliation === 'outcast') {
      if (!isAdmin) return 'forbidden';
      if (actor === target) return 'conflict';
      if (a.affiliation === 'admin' && isHigh(t.affiliation)) return 'not-allowed';
    } else if (isHigh(affiliation) || isHigh(t.affiliation)) {
      if (a.affiliation !== 'owner') return 'forbidden';
    } else if (!isAdmin) return 'forbidden';
    const owners = [...this.#people.values()].filter((one) => one.affiliation === 'owner');
    if (t.affiliation === 'owner' && affiliation !== 'owner' && owners.length === 1) return 'conflict';
    this.#become(t, affiliation);
    return 'yes';
  }

  /** `isInside`: the actor uses a client that is in the room. */
  gives(actor: string, target: string, role: Role, { isInside }: { readonly isInside: boolean }): string {
    const [a, t] = [this.person(actor), this.person(target)];
    if (t.role === 'none') return 'item-not-found';
    const [rankA, rankT] = [order.indexOf(a.affiliation), order.indexOf(t.affiliation)];
    const isAdmin = rankA >= order.indexOf('admin');
    if (role === 'moderator') {
      if (!isAdmin) return 'forbidden';
    } else if (!isInside || a.role !== 'moderator') return 'forbidden';
    else if (role === 'none') {
      if (actor === target) return 'conflict';
      if (rankT > rankA) return 'not-allowed';
      const mayEndModerator = (isAdmin && rankT < rankA) || a.affiliation === 'owner';
      if (t.role === 'moderator' && !mayEndModerator) return 'not-allowed';
    } else if (rankT >= order.indexOf('admin') || rankT > rankA || (t.role === 'moderator' && !isAdmin)) {
      return 'not-allowed';
    }
    if (role !== 'none' && t.role !== role) t.given = role;
    t.role = role;
    return 'yes';
  }

  #become(person: Person, affiliation: Affiliation): void {
    if (person.affiliation === affiliation) return;
    const rises = order.indexOf(affiliation) > order.indexOf(person.affiliation);
    person.affiliation = affiliation;
    person.given = undefined;
    if (person.role === 'none') return;
    const fresh = this.#fresh(person);
    const mayStay = affiliation !== 'outcast' && !(this.membersOnly && affiliation === 'none');
    if (!mayStay) person.role = 'none';
    else if (!rises || roleOrder.indexOf(fresh) > roleOrder.indexOf(person.role)) person.role = fresh;
  }

  #fresh({ affiliation }: Person): Role {
    if (affiliation === 'admin' || affiliation === 'owner') return 'moderator';
    return affiliation === 'none' && this.moderated ? 'visitor' : 'participant';
  }
}
