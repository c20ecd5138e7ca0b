# branchsim: the stand-in VMM, with frame pointers, without, and without symbols.
# Its functions must be found in stacks under their own names: no sibling calls.

BRANCHSIM_SRC := $(SAMPLE_SRC)
BRANCHSIM_CFLAGS := -std=gnu11 $(WARN) $(if $(WERROR),-Werror) -Wno-unused-parameter \
	-fno-strict-aliasing -fno-optimize-sibling-calls -D_GNU_SOURCE \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
BRANCHSIM_LIBS := -ljansson -lpthread -lm
SAMPLE_OBJ := $(BRANCHSIM_SRC:%.c=$(O)/%.fp.o) $(BRANCHSIM_SRC:%.c=$(O)/%.nofp.o)
SAMPLE_BINS := $(O)/branchsim $(O)/branchsim-nofp $(O)/branchsim-stripped

# $(1): the variant, $(2): its flags
define branchsim_objects
$(O)/samples/branchsim/%.$(1).o: samples/branchsim/%.c $(CONFIG) samples/branchsim/module.mk
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$(Q)$$(CC) $$(BRANCHSIM_CFLAGS) $$(CPPFLAGS) $$(CFLAGS) $(2) -MMD -MP -c -o $$@ $$<
endef
$(eval $(call branchsim_objects,fp,-fno-omit-frame-pointer -DBRANCHSIM_FRAME_POINTERS))
$(eval $(call branchsim_objects,nofp,-fomit-frame-pointer))

$(O)/branchsim: $(BRANCHSIM_SRC:%.c=$(O)/%.fp.o)
$(O)/branchsim-nofp: $(BRANCHSIM_SRC:%.c=$(O)/%.nofp.o)
$(O)/branchsim $(O)/branchsim-nofp:
	$(call say,LD,$@)
	$(Q)$(CC) $(OWN_LDFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(BRANCHSIM_LIBS)

$(O)/branchsim-stripped: $(O)/branchsim-nofp
	$(call say,STRIP,$@)
	$(Q)strip -o $@ $<
