export { noNewPrivs } from './no-new-privs.js';
