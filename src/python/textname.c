/* SPDX-License-Identifier: Apache-2.0 */
#include "python/textname.h"

/* A bound method of a bound method of ...: how many are unwrapped. */
#define METHOD_DEPTH 4

/* An attribute read as the built-in type that has it reads it: `descriptor` is taken from that
 * type's own dict, so no __getattribute__, property or metaclass comes between. */
struct field {
    PyObject *descriptor; /* owned */
    descrgetfunc get;
};

/* Callables with a name of their own; `prefix` gives their module's name or their class. */
enum kind_index { FUNCTION, METHOD_DESCRIPTOR, BUILTIN, SLOT, BOUND_SLOT, CLASS_METHOD, KINDS };

struct kind {
    const char *type_name; /* in the module `types` */
    const char *prefix_name;
    const char *name_name;
    PyTypeObject *type; /* owned */
    struct field prefix;
    struct field name;
};

/* Written by textname_init and textname_fini only. */
static struct kind s_kinds[KINDS] = {
    [FUNCTION] = {"FunctionType", "__module__", "__qualname__", NULL, {0}, {0}},
    [METHOD_DESCRIPTOR] = {"MethodDescriptorType", "__objclass__", "__name__", NULL, {0}, {0}},
    [BUILTIN] = {"BuiltinFunctionType", "__module__", "__name__", NULL, {0}, {0}},
    [SLOT] = {"WrapperDescriptorType", "__objclass__", "__name__", NULL, {0}, {0}},
    [BOUND_SLOT] = {"MethodWrapperType", "__objclass__", "__name__", NULL, {0}, {0}},
    [CLASS_METHOD] = {"ClassMethodDescriptorType", "__objclass__", "__name__", NULL, {0}, {0}},
};
static PyTypeObject *s_method_type; /* owned */
static struct field s_method_function;
static struct field s_type_module, s_type_mro, s_type_dict;
static struct field s_exception_args;

static int field_init(struct field *field, PyTypeObject *type, const char *name) {
    PyObject *dict = PyObject_GetAttrString((PyObject *)type, "__dict__");

    field->descriptor = dict ? PyMapping_GetItemString(dict, name) : NULL;
    Py_XDECREF(dict);
    if (!field->descriptor)
        return -1;
    field->get = (descrgetfunc)PyType_GetSlot(Py_TYPE(field->descriptor), Py_tp_descr_get);
    if (!field->get)
        PyErr_Format(PyExc_RuntimeError, "attribute %s has no __get__", name);
    return field->get ? 0 : -1;
}

/* New reference, or NULL without an exception. The field's owner holds a reference too (or the
 * value is a str made for us), so releasing ours runs no __del__. */
static PyObject *field_read(const struct field *field, PyObject *o) {
    PyObject *value = field->get(field->descriptor, o, (PyObject *)Py_TYPE(o));

    if (!value)
        PyErr_Clear();
    return value;
}

static void type_qualname(struct textbuf *b, PyTypeObject *type) {
    PyObject *name = PyType_GetQualName(type);

    if (!name)
        PyErr_Clear();
    textbuf_str(b, name);
    Py_XDECREF(name);
}

static void type_module(struct textbuf *b, PyTypeObject *type) {
    PyObject *module = field_read(&s_type_module, (PyObject *)type);

    textbuf_str(b, module);
    Py_XDECREF(module);
}

static void type_name(struct textbuf *b, PyTypeObject *type) {
    type_module(b, type);
    textbuf_byte(b, '.');
    type_qualname(b, type);
}

void textname_instance(struct textbuf *b, PyTypeObject *type) {
    textbuf_byte(b, '<');
    type_name(b, type);
    textbuf_byte(b, '>');
}

/* A built-in function belongs to its module, a built-in method to the class of its object. Its own
 * __qualname__ would run code of that class's metaclass. */
static PyObject *builtin_prefix(PyObject *o) {
    PyObject *self = PyCFunction_GetSelf(o);

    if (!self || PyModule_Check(self))
        return field_read(&s_kinds[BUILTIN].prefix, o);
    return Py_NewRef(PyType_Check(self) ? self : (PyObject *)Py_TYPE(self));
}

static const struct kind *kind_of(PyObject *o) {
    for (int i = 0; i < KINDS; i++)
        if (Py_IS_TYPE(o, s_kinds[i].type))
            return &s_kinds[i];
    /* Methods that know their defining class are of a subtype. */
    return PyCFunction_Check(o) ? &s_kinds[BUILTIN] : NULL;
}

static void kind_name(struct textbuf *b, const struct kind *kind, PyObject *o) {
    bool builtin = kind == &s_kinds[BUILTIN];
    PyObject *prefix = builtin ? builtin_prefix(o) : field_read(&kind->prefix, o);
    PyObject *name = field_read(&kind->name, o);

    if (prefix && PyType_Check(prefix))
        type_name(b, (PyTypeObject *)prefix);
    else
        textbuf_str(b, prefix);
    textbuf_byte(b, '.');
    textbuf_str(b, name);
    Py_XDECREF(prefix);
    Py_XDECREF(name);
}

bool textname_c_callable(struct textbuf *module, struct textbuf *qualname, PyObject *o) {
    const struct kind *kind = kind_of(o);
    bool builtin = kind == &s_kinds[BUILTIN];
    PyObject *prefix, *name;

    if (!builtin && kind != &s_kinds[METHOD_DESCRIPTOR])
        return false;
    prefix = builtin ? builtin_prefix(o) : field_read(&kind->prefix, o);
    name = field_read(&kind->name, o);
    if (prefix && PyType_Check(prefix)) {
        type_module(module, (PyTypeObject *)prefix);
        type_qualname(qualname, (PyTypeObject *)prefix);
        textbuf_byte(qualname, '.');
    } else {
        textbuf_str(module, prefix);
    }
    textbuf_str(qualname, name);
    Py_XDECREF(prefix);
    Py_XDECREF(name);
    return true;
}

/* What a bound method calls, or `o` itself. New reference; the method holds one too. */
static PyObject *unbound(PyObject *o) {
    Py_INCREF(o);
    for (int i = 0; i < METHOD_DEPTH && Py_IS_TYPE(o, s_method_type); i++) {
        PyObject *function = field_read(&s_method_function, o);

        if (!function)
            break;
        Py_DECREF(o);
        o = function;
    }
    return o;
}

void textname_callable(struct textbuf *b, PyObject *o) {
    const struct kind *kind;

    o = unbound(o);
    kind = kind_of(o);
    if (kind)
        kind_name(b, kind, o);
    else if (PyType_Check(o))
        type_name(b, (PyTypeObject *)o);
    else
        textname_instance(b, Py_TYPE(o));
    Py_DECREF(o);
}

void textname_exception_type(struct textbuf *b, PyTypeObject *type) {
    PyObject *module = field_read(&s_type_module, (PyObject *)type);

    if (module && PyUnicode_CheckExact(module) &&
        PyUnicode_CompareWithASCIIString(module, "builtins") == 0)
        type_qualname(b, type);
    else
        type_name(b, type);
    Py_XDECREF(module);
}

void textname_exception(struct textbuf *b, PyObject *o) {
    PyObject *args, *text = NULL; /* borrowed from args */

    if (PyExceptionClass_Check(o)) {
        textname_exception_type(b, (PyTypeObject *)o);
        return;
    }
    if (!PyExceptionInstance_Check(o)) {
        textname_instance(b, Py_TYPE(o));
        return;
    }
    textname_exception_type(b, Py_TYPE(o));
    args = field_read(&s_exception_args, o);
    if (args && PyTuple_CheckExact(args) && PyTuple_Size(args) > 0)
        text = PyTuple_GetItem(args, 0);
    if (text && PyUnicode_CheckExact(text) && PyUnicode_GetLength(text) > 0) {
        textbuf_ascii(b, ": ");
        textbuf_str(b, text);
    }
    Py_XDECREF(args);
}

static int kind_init(struct kind *kind, PyObject *types) {
    kind->type = (PyTypeObject *)PyObject_GetAttrString(types, kind->type_name);
    if (!kind->type || field_init(&kind->prefix, kind->type, kind->prefix_name) < 0)
        return -1;
    return field_init(&kind->name, kind->type, kind->name_name);
}

static int is_same(PyObject *visited, void *code) {
    return visited == code;
}

/* Whether it is a function with this code. Reading __code__ would call the program's audit hooks,
 * so it is asked for what it refers to. */
static bool runs(PyObject *function, PyObject *code) {
    PyTypeObject *type = s_kinds[FUNCTION].type;
    traverseproc traverse;

    if (!function || !Py_IS_TYPE(function, type))
        return false;
    traverse = (traverseproc)PyType_GetSlot(type, Py_tp_traverse);
    return traverse(function, is_same, code) != 0;
}

bool textname_method(struct textbuf *b, PyObject *self, PyObject *name, PyObject *code) {
    PyObject *mro = field_read(&s_type_mro, (PyObject *)Py_TYPE(self));
    Py_ssize_t n = mro && PyTuple_CheckExact(mro) ? PyTuple_Size(mro) : 0;
    bool found = false;

    for (Py_ssize_t i = 0; i < n && !found; i++) {
        PyObject *dict = field_read(&s_type_dict, PyTuple_GetItem(mro, i));
        PyObject *function = dict ? PyObject_GetItem(dict, name) : NULL;
        PyObject *qualname =
            runs(function, code) ? field_read(&s_kinds[FUNCTION].name, function) : NULL;

        found = qualname;
        if (found)
            textbuf_str(b, qualname);
        Py_XDECREF(qualname);
        Py_XDECREF(function);
        Py_XDECREF(dict);
        PyErr_Clear();
    }
    Py_XDECREF(mro);
    return found;
}

int textname_init(void) {
    int ret = -1;
    PyObject *types = PyImport_ImportModule("types");

    if (!types)
        goto out;
    for (int i = 0; i < KINDS; i++)
        if (kind_init(&s_kinds[i], types) < 0)
            goto out;
    s_method_type = (PyTypeObject *)PyObject_GetAttrString(types, "MethodType");
    if (!s_method_type || field_init(&s_method_function, s_method_type, "__func__") < 0)
        goto out;
    if (field_init(&s_type_module, &PyType_Type, "__module__") < 0 ||
        field_init(&s_type_mro, &PyType_Type, "__mro__") < 0 ||
        field_init(&s_type_dict, &PyType_Type, "__dict__") < 0)
        goto out;
    ret = field_init(&s_exception_args, (PyTypeObject *)PyExc_BaseException, "args");
out:
    Py_XDECREF(types);
    if (ret < 0)
        textname_fini();
    return ret;
}

void textname_fini(void) {
    for (int i = 0; i < KINDS; i++) {
        Py_CLEAR(s_kinds[i].type);
        Py_CLEAR(s_kinds[i].prefix.descriptor);
        Py_CLEAR(s_kinds[i].name.descriptor);
    }
    Py_CLEAR(s_method_type);
    Py_CLEAR(s_method_function.descriptor);
    Py_CLEAR(s_type_module.descriptor);
    Py_CLEAR(s_type_mro.descriptor);
    Py_CLEAR(s_type_dict.descriptor);
    Py_CLEAR(s_exception_args.descriptor);
}
