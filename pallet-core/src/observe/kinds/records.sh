# What Pallet recorded on the node.
if [ -r /var/lib/pallet/written ]; then answer written "$(cat /var/lib/pallet/written)"; fi
for path in /var/lib/pallet/applied/*; do
  if [ -r "$path" ]; then answer applied "$(cat "$path")"; fi
done
