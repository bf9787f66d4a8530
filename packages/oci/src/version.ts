/** The versions of the runtime-spec that are understood: all from the one to the other, and what is known of later ones. */
export const OCI_VERSION_MIN = '1.0.0';

/** The newest version of the runtime-spec that is understood. */
export const OCI_VERSION = '1.3.0';
