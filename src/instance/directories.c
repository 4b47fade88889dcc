#include "src/instance/directories.h"

#include "src/os/file.h"
#include "src/os/path.h"

JET_ERR directories_create(const char *path)
{
    JET_ERR err = JET_errSuccess;
    char parent[OS_PATH_SIZE];
    if (os_directory_exists(path))
        return JET_errSuccess;
    SOUND(os_path_directory(path, parent, sizeof(parent))); /* is shorter */
    if (strcmp(parent, path) == 0)
        FAIL(JET_errInvalidPath); /* a root that does not let itself be looked at */
    TRY(directories_create(parent));
    err = os_directory_create(path);
    if (err == JET_errFileAlreadyExists)
        FAIL(os_directory_exists(path) ? JET_errSuccess : JET_errInvalidPath);
    TRY(err);
    /* Before the log names a file in there: redo makes files that are missing, but not their folders. */
    TRY(os_directory_sync(parent));
done:
    return err;
}
