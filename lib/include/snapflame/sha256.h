/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 (FIPS 180-4). A page names the hash of the one script that it may run, so that a name that
 * found its way into the page could still not be one.
 */
#ifndef SNAPFLAME_SHA256_H
#define SNAPFLAME_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SF_SHA256_SIZE = 32, SF_SHA256_TEXT = 45 };

void sf_sha256(const void *data, size_t len, uint8_t digest[SF_SHA256_SIZE]);
/* In base64, terminated: the form of a Content-Security-Policy. */
void sf_sha256_base64(const void *data, size_t len, char text[SF_SHA256_TEXT]);

#endif
