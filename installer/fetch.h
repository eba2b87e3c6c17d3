/* What brandzone-fetch tells by its exit status; 1: anything else. */
#pragma once

#define BZ_FETCH_MISSING 44   /* the server has no such file */
#define BZ_FETCH_UNTRUSTED 60 /* nobody that this host trusts vouches for the server, or it is another one */

#define BZ_FETCH_UNTRUSTED_HINT \
  "if it is the right server, name a file with the certificate of who vouches for it in CURL_CA_BUNDLE"
