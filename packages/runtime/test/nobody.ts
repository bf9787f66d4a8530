// An ordinary user, who has nothing but what user namespaces give.

const NOBODY = 65_534;
/** What makes a program this user's. */
export const asNobody: readonly string[] = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
