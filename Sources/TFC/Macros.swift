/// Writes the conformance of a struct to `TensorGroup`: its stored variables are members, its constants are not.
@attached(extension, conformances: TensorGroup, names: named(visitTensors))
public macro TensorGroup() = #externalMacro(module: "TFCMacros", type: "TensorGroupMacro")
