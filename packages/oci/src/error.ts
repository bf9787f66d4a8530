/** What is wrong with a container, for those who have to tell one case from another. */
export type OciErrorKind =
  | 'invalid-id'
  | 'exists'
  | 'does-not-exist'
  | 'broken'
  | 'busy'
  | 'not-created'
  | 'not-running'
  | 'not-stopped'
  | 'paused'
  | 'not-paused'
  | 'hook'
  | 'start-failed';

/**
 * A container is not in the state that something needs, or is not there. The words are those that engines look for in what runc says.
 *
 * @example
 * ```ts
 * import { OciError, state } from '@ctr/oci';
 * try {
 *   state('no-such-container', { root: '/tmp/ctr-oci-example' });
 * } catch (error) {
 *   if (error instanceof OciError) console.log(error.kind, error.message); // does-not-exist container does not exist
 * }
 * ```
 */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly kind: OciErrorKind;

  constructor(kind: OciErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
