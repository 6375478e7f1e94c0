"""What a release store records: releases, aliases, the journal."""
