import { z } from 'zod';
import { invitationPolicies } from '../c2s/invitations.ts';
import { flag, whole } from './fields.ts';

const question = z.strictObject({
  question: z.string().min(1).max(200).describe('The question, such as "Which river flows through Verona?".'),
  answers: z.array(z.string().min(1).max(200)).min(1).describe('All right answers. Upper and lower case are the same.'),
});

/** The `registration` of the configuration. */
export const registrationSchema = z
  .strictObject({
    inBand: flag(false, 'Let anybody create an account from a client (XEP-0077).'),
    approval: flag(
      false,
      'Accounts that are created without an invitation wait until the operator approves them. See operating.md.',
    ),
    approvalDays: whole(14, 1, 365, 'Days after which an account that was not approved is removed.'),
    questions: z
      .array(question)
      .default([])
      .describe(
        'Questions for people, one of which must be answered to create an account without an invitation (XEP-0158).',
      ),
    invitations: z
      .enum(invitationPolicies)
      .default('everybody')
      .describe(
        'Who may invite people to create an account (XEP-0401): every user, only `administrators` and the operator, or nobody. See invitations.md.',
      ),
    invitationDays: whole(7, 1, 365, 'Days for which an invitation can be used, unless its maker sets another time.'),
    passwordChange: flag(true, 'Let users change their password from their client.'),
    accountRemoval: flag(true, 'Let users delete their account from their client.'),
  })
  .prefault({})
  .describe('Account creation, password changes and account removal from clients.');
