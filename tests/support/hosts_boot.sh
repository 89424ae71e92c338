#!/usr/bin/env bash
# Process 1 of a host, started in namespaces of its own: makes the host's file system over the machine's, then runs sshd.
# It ends when its standard input does, and the kernel ends every process of the host with it.
#
#   NAME      of the host
#   FOLDER    of the machine, empty: where the host's file system is made
#   HIDDEN    folders of the machine that are empty on the host, one a line
#   VISIBLE   folders of the machine that the host sees, read-only, even below a hidden one, one a line
#   ADDRESSES the lines of /etc/hosts
#   LOGIN     the public key that may log in
#   IDENTITY  file of the private key that the host has; empty for none
set -euo pipefail
root=$FOLDER/root

mount --make-rprivate /
mount -t tmpfs -o mode=755 "$NAME" "$FOLDER"
mkdir -p "$root" "$FOLDER"/{upper,work,kept}

# What the host is to see and to have, before the folders that these lie in are hidden.
[ -z "$IDENTITY" ] || cp "$IDENTITY" "$FOLDER/kept/identity"
number=0
while read -r path; do
    number=$((number + 1))
    mkdir "$FOLDER/kept/$number"
    mount --bind "$path" "$FOLDER/kept/$number"
    mount -o remount,ro,bind "$FOLDER/kept/$number"
done <<< "$VISIBLE"

mount -t overlay -o "lowerdir=/,upperdir=$FOLDER/upper,workdir=$FOLDER/work" overlay "$root"
while read -r path; do
    mkdir -p "$root$path"
    mount -t tmpfs -o mode=755 hidden "$root$path"
done <<< "$HIDDEN"
for path in /tmp /root /run; do
    mount -t tmpfs "$NAME" "$root$path"
done
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
number=0
while read -r path; do
    number=$((number + 1))
    mkdir -p "$root$path"
    mount --rbind "$FOLDER/kept/$number" "$root$path"
done <<< "$VISIBLE"

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup" || true  # Ray reads memory limits there, if there are any
mount -t tmpfs -o mode=755 dev "$root/dev"
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"
done

hostname "$NAME"
rm -f "$root/etc/resolv.conf" "$root/etc/nologin"
echo "$ADDRESSES" > "$root/etc/hosts"
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"  # sshd refuses an account whose password is locked
cp -rT "$root/etc/skel" "$root/root"
mkdir -m 700 "$root/root/.ssh" "$root/run/sshd"
echo "$LOGIN" > "$root/root/.ssh/authorized_keys"
[ -z "$IDENTITY" ] || install -m 600 "$FOLDER/kept/identity" "$root/root/.ssh/id_ed25519"
ssh-keygen -q -t ed25519 -N '' -f "$root/run/sshd/host_key"
cat > "$root/run/sshd/config" << 'END'
HostKey /run/sshd/host_key
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
MaxStartups 50:30:100
MaxSessions 50
END

# The shell reaps whatever loses its parent, and waits for the end of its input.
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=xterm \
    chroot "$root" /bin/bash -c '/usr/sbin/sshd -D -e -f /run/sshd/config < /dev/null & cat > /dev/null'
