/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks as a tree: a node is a stack, its parent the stack without the leaf. A stack that differs
 * from a known one in its leaf costs one node of 16 bytes and a slot of 12.
 */
#ifndef ANALYSIS_FOLD_TRIE_H
#define ANALYSIS_FOLD_TRIE_H

#include <stddef.h>
#include <stdint.h>

struct sf_trie_node {
	uint32_t parent, key;
	uint64_t weight; /* of the stack that ends here */
};

/* All zeroes is an empty tree. Node 0 is the root: the empty stack, and what a failure returns. */
struct sf_trie {
	struct sf_trie_node *node;
	size_t nr, alloc;
	struct sf_trie_slot {
		uint32_t parent,
			key;   /* the node's: a look at the node would be a cache miss more */
		uint32_t node; /* 0: empty */
	} *slot;	       /* open addressing */
	size_t size;
};

/* The child of parent with this key, made where there is none; 0 without memory. */
uint32_t sf_trie_child(struct sf_trie *t, uint32_t parent, uint32_t key);
/* Sum of weights; stays at UINT64_MAX rather than wrap. */
void sf_trie_add(struct sf_trie *t, uint32_t node, uint64_t weight);
void sf_trie_release(struct sf_trie *t);

#endif
