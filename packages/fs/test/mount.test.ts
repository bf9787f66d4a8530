import { explain, label } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { newMount } from '@ctr/fs';

describe('newMount', () => {
  it('hands over each option on its own, and attributes to the mount', () => {
    const { steps } = newMount('ext4', {
      source: '/dev/vdb',
      options: { noload: true, errors: 'remount-ro' },
      attributes: { readonly: true, atime: 'noatime' },
      purpose: 'the data',
      as: 'data',
    });
    expect(explain(steps)).toMatchInlineSnapshot(`
      "1  fsopen("ext4", FSOPEN_CLOEXEC) = $new-data  # the data
      2  fsconfig($new-data, FSCONFIG_SET_STRING, "source", "/dev/vdb", 0)  # set source
      3  fsconfig($new-data, FSCONFIG_SET_FLAG, "noload", NULL, 0)  # set noload
      4  fsconfig($new-data, FSCONFIG_SET_STRING, "errors", "remount-ro", 0)  # set errors
      5  fsconfig($new-data, FSCONFIG_CMD_CREATE, NULL, NULL, 0)  # make it
      6  fsmount($new-data, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOATIME) = $data  # a mount of it
      7  close($new-data)  # it has its mount"
    `);
  });

  it('hands over an option several times', () => {
    const { steps } = newMount('overlay', { options: { 'lowerdir+': ['/srv/app', '/srv/base'] } });
    expect(explain(steps.slice(2, 4))).toMatchInlineSnapshot(`
      "1  fsconfig($new-overlay, FSCONFIG_SET_STRING, "lowerdir+", "/srv/app", 0)  # set lowerdir+
      2  fsconfig($new-overlay, FSCONFIG_SET_STRING, "lowerdir+", "/srv/base", 0)  # set lowerdir+"
    `);
  });

  it('goes on elsewhere, whichever of its steps the kernel refuses', () => {
    const instead = label('do without');
    const { steps } = newMount('sysfs', { onFailure: instead });
    expect(steps.map(({ onFailure }) => onFailure)).toEqual(steps.map(() => instead));
    expect(explain([...steps, instead])).toMatchInlineSnapshot(`
      "1  fsopen("sysfs", FSOPEN_CLOEXEC) = $new-sysfs, on failure go to 6  # a new sysfs
      2  fsconfig($new-sysfs, FSCONFIG_SET_STRING, "source", "sysfs", 0), on failure go to 6  # set source
      3  fsconfig($new-sysfs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), on failure go to 6  # make it
      4  fsmount($new-sysfs, FSMOUNT_CLOEXEC, 0) = $sysfs, on failure go to 6  # a mount of it
      5  close($new-sysfs), on failure go to 6  # it has its mount
      6  label()  # do without"
    `);
  });

  it('refuses a value that the kernel would refuse without a word', () => {
    expect(() => newMount('tmpfs', { options: { size: '1'.repeat(256) } })).toThrow(/^the option size of tmpfs has more than 255 bytes/);
    expect(() => newMount('tmpfs', { option: {} } as object)).toThrow(new TypeError('newMount: there is no option "option": did you mean options?'));
    expect(() => newMount('tmpfs', { attributes: { nosuid: true } as object })).toThrow(
      new TypeError('mount attributes: there is no option "nosuid": did you mean noSuid?'),
    );
  });
});
