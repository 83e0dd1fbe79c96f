#!/bin/bash
# Fetch the real guests into .guests/ at the root of the project (or into $1), once; see README.md beside this script.
# Needs: apt-get, dpkg-deb, the Debian archive keyring, node. A second run does nothing; FORCE=1 fetches again.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dest=$(realpath -m "${1:-$here/../../.guests}")
stamp=$dest/complete
wanted=$(cat "$here/fetch.sh" "$here/fetch-debs.sh" "$here/initramfs/init" "$here/initramfs/make.mjs" | sha256sum | cut -d' ' -f1)
if [ -z "${FORCE:-}" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
  echo "guests: already in ${dest##*/}/"
  exit 0
fi
for tool in apt-get dpkg-deb node; do
  command -v "$tool" > /dev/null || { echo "guests: $tool is needed to fetch Debian's packages" >&2; exit 1; }
done
mkdir -p "$dest"
rm -f "$stamp"
rm -rf "$dest/debs" "$dest/root"
for attempt in 1 2 3; do
  if "$here/fetch-debs.sh" "$dest" > "$dest/fetch.log" 2>&1; then break; fi
  if [ "$attempt" = 3 ]; then tail -n 5 "$dest/fetch.log" >&2; exit 1; fi
  sleep $((attempt * 5))
done

# Names that stay the same when versions move.
name() { # name LINK GLOB: LINK in .guests points at the one file or directory that GLOB matches below root/
  local matches
  mapfile -t matches < <(cd "$dest" && compgen -G "root/$2")
  [ ${#matches[@]} -eq 1 ] || { echo "guests: root/$2 matches ${#matches[@]} files, not one" >&2; exit 1; }
  ln -sfn "${matches[0]}" "$dest/$1"
}
lpae='*-armmp-lpae'
name zImage-armmp-lpae "boot/vmlinuz-$lpae"
name System.map-armmp-lpae "boot/System.map-$lpae"
name config-armmp-lpae "boot/config-$lpae"
name modules-armmp-lpae "lib/modules/$lpae"
name zImage-armmp 'boot/vmlinuz-*-armmp'
name System.map-armmp 'boot/System.map-*-armmp'
name config-armmp 'boot/config-*-armmp'
name modules-armmp 'lib/modules/*-armmp'
name busybox 'bin/busybox'
name u-boot.bin 'usr/lib/u-boot/qemu_arm/u-boot.bin'
name netboot 'usr/lib/debian-installer/images/12/armhf/text/debian-installer/armhf'
node "$here/initramfs/make.mjs" "$dest/busybox" "$dest/initramfs.cpio.gz"

if [ -n "${RECORD:-}" ]; then cp "$dest/SHA256SUMS" "$here/SHA256SUMS"; fi
if ! cmp -s "$dest/SHA256SUMS" "$here/SHA256SUMS"; then
  moved=$(diff "$here/SHA256SUMS" "$dest/SHA256SUMS" | sed -n 's/^> [0-9a-f]*  //p' | tr '\n' ' ')
  echo "guests: not the recorded packages (tests/guests/SHA256SUMS): ${moved:-fewer than recorded}"
fi
echo "$wanted" > "$stamp"
echo "guests: $(ls "$dest"/debs/*.deb | wc -l) packages in ${dest##*/}/"
