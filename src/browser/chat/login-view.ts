import { typedAddress } from './address.ts';
import { h, setText } from './dom.ts';
import { LoginRefused } from './login.ts';
import { StreamClosed } from './stream.ts';

/** What a user has typed. */
interface Typed {
  /** A bare address. */
  readonly jid: string;
  readonly password: string;
}

/** Dependencies of the form for logging in. */
interface LoginDeps {
  /** The domain of users who type only a name. */
  readonly domain: string;
  /** The address that is known already. */
  readonly jid: string;
  /** Why the user has to log in again. */
  readonly notice?: string | undefined;
  /** Rejects with the reason. */
  readonly logIn: (typed: Typed) => Promise<void>;
}

/** The form for logging in. */
export function loginView({ domain, jid, notice, logIn }: LoginDeps): HTMLElement {
  const problem = h('p', { class: 'notice', role: 'alert', hidden: notice === undefined }, notice);
  const address = h('input', {
    id: 'address',
    name: 'username',
    autocomplete: 'username',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    placeholder: `name@${domain}`,
    value: jid,
  });
  const password = h('input', {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const button = h('button', { class: 'full' }, 'Log in');
  const submit = async () => {
    const known = typedAddress(address.value, domain);
    try {
      if (known === undefined) throw new Error(`Type an address such as name@${domain}.`);
      button.disabled = true;
      setText(button, 'Logging in …');
      problem.hidden = true;
      await logIn({ jid: known, password: password.value });
    } catch (error) {
      setText(problem, reasonFor(error));
      problem.hidden = false;
      button.disabled = false;
      setText(button, 'Log in');
      if (known === undefined) address.select();
      else password.select();
    }
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    void submit();
  };
  queueMicrotask(() => (jid === '' ? address : password).focus());
  return h(
    'main',
    { class: 'login' },
    h('img', { class: 'brand', src: '/assets/ampere.svg', alt: '' }),
    h('h1', {}, 'Log in to chat'),
    problem,
    h(
      'form',
      { class: 'panel', on: { submit: onSubmit } },
      h('div', { class: 'field' }, h('label', { for: 'address' }, 'Address'), address),
      h('div', { class: 'field' }, h('label', { for: 'password' }, 'Password'), password),
      button,
    ),
    h('p', { class: 'quiet' }, 'No account yet? Ask the people who run this server for an invitation.'),
  );
}

function reasonFor(error: unknown): string {
  if (error instanceof StreamClosed && error.condition === undefined)
    return 'The server cannot be reached. Try again in a moment.';
  if (!(error instanceof LoginRefused))
    return error instanceof Error ? sentence(error.message) : 'Something went wrong.';
  switch (error.condition) {
    case 'not-authorized':
      return 'The address or the password is wrong.';
    case 'temporary-auth-failure':
      return 'Too many attempts. Try again later.';
    case 'account-disabled':
      return 'This account is suspended.';
    default:
      return `The server does not let you in: ${error.condition}.`;
  }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
