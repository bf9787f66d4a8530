import { explain, label } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { overlay, overlayMount } from '@ctr/fs';

describe('overlay', () => {
  it('sets each option on its own', () => {
    const plan = overlay('/mnt', {
      lower: ['/srv/app', '/srv/base'],
      upper: '/srv/changes',
      work: '/srv/work',
      userXattr: true,
      volatile: true,
      metacopy: false,
      index: true,
      noSuid: true,
    });
    expect(explain(plan)).toMatchInlineSnapshot(`
      " 1  openat(AT_FDCWD, "/mnt", O_DIRECTORY|O_CLOEXEC|O_PATH) = $at-mnt  # find /mnt
       2  fsopen("overlay", FSOPEN_CLOEXEC) = $new-mnt  # an overlay for /mnt
       3  fsconfig($new-mnt, FSCONFIG_SET_STRING, "source", "overlay", 0)  # set source
       4  fsconfig($new-mnt, FSCONFIG_SET_STRING, "lowerdir", "/srv/app:/srv/base", 0)  # set lowerdir
       5  fsconfig($new-mnt, FSCONFIG_SET_STRING, "upperdir", "/srv/changes", 0)  # set upperdir
       6  fsconfig($new-mnt, FSCONFIG_SET_STRING, "workdir", "/srv/work", 0)  # set workdir
       7  fsconfig($new-mnt, FSCONFIG_SET_FLAG, "userxattr", NULL, 0)  # set userxattr
       8  fsconfig($new-mnt, FSCONFIG_SET_FLAG, "volatile", NULL, 0)  # set volatile
       9  fsconfig($new-mnt, FSCONFIG_SET_STRING, "metacopy", "off", 0)  # set metacopy
      10  fsconfig($new-mnt, FSCONFIG_SET_STRING, "index", "on", 0)  # set index
      11  fsconfig($new-mnt, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      12  fsmount($new-mnt, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID) = $mnt  # a mount of it
      13  close($new-mnt)  # it has its mount
      14  move_mount($mnt, "", $at-mnt, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # attach it to /mnt
      15  close($mnt)  # it is attached
      16  close($at-mnt)  # /mnt is found"
    `);
  });

  it('escapes what the kernel would take for a separator', () => {
    const { steps } = overlayMount({ lower: ['/a:b', '/c\\d', '/e,f'], upper: '/u:p', work: '/w\\k' });
    expect(steps.filter(({ purpose }) => purpose.startsWith('set ')).map(({ args }) => args.slice(2, 4))).toEqual([
      ['source', 'overlay'],
      ['lowerdir', String.raw`/a\:b:/c\\d:/e,f`],
      ['upperdir', String.raw`/u\:p`],
      ['workdir', String.raw`/w\\k`],
    ]);
  });

  it('sets layers one by one where all together are too long, and a very long one as an open directory', () => {
    const long = `/${'long/'.repeat(60)}layer`;
    const { steps } = overlayMount({ lower: ['/srv/a:b', `/${'x'.repeat(250)}`, long] });
    const shown = explain(steps).replaceAll('long/', '').replaceAll(/x+/g, 'x');
    expect(shown).toMatchInlineSnapshot(`
      "1  fsopen("overlay", FSOPEN_CLOEXEC) = $new-overlay  # an overlay
      2  fsconfig($new-overlay, FSCONFIG_SET_STRING, "source", "overlay", 0)  # set source
      3  fsconfig($new-overlay, FSCONFIG_SET_STRING, "lowerdir+", "/srv/a:b", 0)  # set lowerdir+
      4  fsconfig($new-overlay, FSCONFIG_SET_STRING, "lowerdir+", "/x"..., 0)  # set lowerdir+
      5  openat(AT_FDCWD, "/lon"..., O_DIRECTORY|O_CLOEXEC|O_PATH) = $layer  # find /layer
      6  fsconfig($new-overlay, FSCONFIG_SET_FD, "lowerdir+", NULL, $layer)  # set lowerdir+
      7  fsconfig($new-overlay, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      8  fsmount($new-overlay, FSMOUNT_CLOEXEC, 0) = $overlay  # a mount of it
      9  close($new-overlay)  # it has its mount"
    `);
  });

  it('goes on elsewhere, whichever of its steps the kernel refuses', () => {
    const instead = label('do without');
    const { steps } = overlayMount({ lower: ['/a', '/b'], upper: `/${'u'.repeat(300)}`, work: '/w', volatile: true, onFailure: instead });
    expect(steps.map(({ onFailure }) => onFailure)).toEqual(steps.map(() => instead));
    expect(explain([...steps, instead])).toContain('fsconfig($new-overlay, FSCONFIG_SET_FD, "upperdir", NULL, $layer)');
  });

  it('refuses layers that make no overlay', () => {
    expect(() => overlayMount({ lower: [] })).toThrow(new TypeError('an overlay needs a lower layer'));
    expect(() => overlayMount({ lower: ['/a'] })).toThrow(new TypeError('an overlay without an upper layer needs two lower ones: bind shows a single one'));
    expect(() => overlayMount({ lower: ['/a'], upper: '/b' })).toThrow(new TypeError('an overlay needs both upper and work, or neither'));
    expect(() => overlayMount({ lower: ['/a', ''] })).toThrow(new TypeError('the path is empty'));
    expect(() => overlayMount({ lower: ['/a', '/b\0'] })).toThrow(RangeError);
    expect(() => overlayMount({ lower: ['/a', '/b'], lowerdir: '/c' } as never)).toThrow(TypeError);
  });
});
