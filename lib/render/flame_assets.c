/* SPDX-License-Identifier: GPL-2.0-only */
/* flame.js and flame.css as they are in this folder; the Makefile makes strings of them. */
#include <snapflame/flamegraph.h>

static const char script[] =
#include "render/flame.js.inc"
	;

static const char style[] =
#include "render/flame.css.inc"
	;

const char *sf_flame_script(void)
{
	return script;
}

const char *sf_flame_style(void)
{
	return style;
}
