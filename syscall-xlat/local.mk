## syscall-xlat
