/** How a user belongs to a room, whether in it or not, from least to most (XEP-0045 §5.2). */
export const affiliations = ['outcast', 'none', 'member', 'admin', 'owner'] as const;

/** A long-lived connection of a user with a room (XEP-0045 §5.2). */
export type Affiliation = (typeof affiliations)[number];

/** What an occupant may do while it is in the room, from least to most (XEP-0045 §5.1). */
const roles = ['none', 'visitor', 'participant', 'moderator'] as const;

/** What an occupant may do in a room (XEP-0045 §5.1); `none` is somebody outside. */
export type Role = (typeof roles)[number];

/** Whether an affiliation is at least another one. */
export function isAffiliatedAs(affiliation: Affiliation, least: Affiliation): boolean {
  return affiliations.indexOf(affiliation) >= affiliations.indexOf(least);
}

/** Whether a role is at least another one. */
export function hasRoleOf(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

/** The affiliation of this name. */
export function affiliationNamed(text: string | undefined): Affiliation | undefined {
  return affiliations.find((one) => one === text);
}

/** The role of this name. */
export function roleNamed(text: string | undefined): Role | undefined {
  return roles.find((one) => one === text);
}
