internal import IR
internal import Passes

/// The C file of a compiled model: its tables, and its typed functions.
struct Stub {
  private let model: ModelInterface
  private var expressions: ExpressionTable
  private var extents: [String] = []
  private var inputRows = ""
  private var outputRows = ""
  private let arena: String
  private let deviceArena: String
  private var dataRows = ""

  init(_ model: ModelInterface) {
    self.model = model
    var table = ExpressionTable(symbols: model.symbols.map(\.symbol))
    var extents: [String] = []
    func row(_ tensor: ModelInterface.Tensor) -> String {
      let list = tensor.type.dimensions.map { table.reference(to: $0) }
      let offset = Self.place(list, in: &extents)
      let name = CText.string(tensor.name)
      let alias = tensor.alias ?? -1
      return
        "    {\(name), \(tensor.type.elementType.runtimeName), \(list.count), tfc_tensor_extents + \(offset), \(alias)},\n"
    }
    inputRows = model.inputs.map { row($0) }.joined()
    outputRows = model.outputs.map { row($0) }.joined()
    arena = table.reference(to: model.arenaByteCount, text: "arena")
    let onDevice = model.device?.arenaByteCount ?? .zero
    deviceArena = onDevice == model.arenaByteCount ? arena : table.reference(to: onDevice, text: "arena on the device")
    for (position, info) in model.symbols.enumerated() {
      guard let most = info.most else { continue }
      dataRows += "    {\(position), \(table.reference(to: most))},\n"
    }
    expressions = table
    self.extents = extents
  }

  /// The position of `list` in `all`, where it is appended unless it is there.
  private static func place(_ list: [String], in all: inout [String]) -> Int {
    if list.isEmpty { return 0 }
    if all.count >= list.count {
      for start in 0...(all.count - list.count) where Array(all[start..<start + list.count]) == list { return start }
    }
    all += list
    return all.count - list.count
  }

  var text: String {
    let calls = model.device == nil ? "TFC_MODEL(\(model.name))\n" : "TFC_DEVICE_MODEL(\(model.name))\n"
    let parts = [
      includes, weights, expressions.functions, arrays, checks, device, entry, artifact, calls, run, runOnDevice,
      outputExtents, lastDims,
    ]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var includes: String {
    """
    #include "\(model.device == nil ? "tfc_generated.h" : "tfc_opencl.h")"

    #pragma GCC visibility push(default)
    #include \(CText.string(model.plainHeaderName))
    extern const tfc_artifact_table tfc_artifact;
    #pragma GCC visibility pop

    """
  }

  private var weights: String {
    guard case .embedded(let file) = model.weights else { return "" }
    return "TFC_WEIGHTS(\(CText.string(file)));\n"
  }

  private var arrays: String {
    var parts: [String] = []
    if !model.cpuFeatures.isEmpty {
      let names = model.cpuFeatures.map(Self.featureName)
      parts.append(CText.initializer(names, before: "static const int32_t tfc_cpu_features[] = "))
    }
    if !model.symbols.isEmpty {
      let rows = model.symbols.map { info in
        // The program itself checks what data decides; outside of it, the symbol stands for a size of memory.
        let range = info.most == nil ? info.bounds : SymbolBounds()
        let upper = range.upper.map { "\(min($0, 2_147_483_647))" } ?? "TFC_SYMBOL_MAX"
        return "    {\(CText.string(info.symbol.name)), \(range.lower), \(upper)},\n"
      }
      parts.append("static const tfc_symbol tfc_symbols[] = {\n\(rows.joined())};\n")
    }
    if expressions.count > 0 {
      parts.append("static const tfc_expression tfc_expressions[] = {\n\(expressions.rows)};\n")
    }
    if !dataRows.isEmpty { parts.append("static const tfc_data_symbol tfc_data_symbols[] = {\n\(dataRows)};\n") }
    if !inputRows.isEmpty || !outputRows.isEmpty {
      let list = extents.isEmpty ? ["0"] : extents
      parts.append(CText.initializer(list, before: "static const int64_t tfc_tensor_extents[] = "))
    }
    if !inputRows.isEmpty { parts.append("static const tfc_tensor_info tfc_inputs[] = {\n\(inputRows)};\n") }
    if !outputRows.isEmpty { parts.append("static const tfc_tensor_info tfc_outputs[] = {\n\(outputRows)};\n") }
    if !model.launchNames.isEmpty {
      let names = model.launchNames.map(CText.string)
      parts.append(CText.initializer(names, before: "static const char *const tfc_launch_names[] = "))
    }
    if !sentences.isEmpty {
      let sentences = sentences.map(CText.string)
      parts.append(CText.initializer(sentences, before: "static const char *const tfc_check_sentences[] = "))
    }
    return parts.joined(separator: "\n")
  }

  private var sentences: [String] { model.checkSentences + model.checks.map(\.sentence) }

  /// The program behind what is checked of extents, for each machine.
  private var checks: String {
    if model.checks.isEmpty { return "" }
    var text = "static int32_t tfc_check_extents(const int64_t *s) {\n"
    for (position, check) in model.checks.enumerated() {
      let fails = ["\(expressions.value(check.order.lesser)) > \(expressions.value(check.order.greater))"]
      let condition = (fails + check.exceptions.map { "\(expressions.value($0)) > 0" }).joined(separator: " && ")
      text += "  if (\(condition)) return TFC_CHECK_FAILED + \(model.checkSentences.count + position);\n"
    }
    text += "  return TFC_OK;\n}\n"
    func checked(_ name: String, _ program: String, _ parameters: [(type: String, name: String)]) -> String {
      CText.call("\nstatic int32_t \(name)", parameters.map { $0.type + $0.name }, " {", indent: "    ")
        + "  int32_t status = tfc_check_extents(symbols);\n"
        + CText.call("  return status != TFC_OK ? status : \(program)", parameters.map(\.name), ";", indent: "      ")
        + "}\n"
    }
    if model.runsOnCPU {
      text += checked(
        "tfc_checked_run", "tfc_program_run",
        [
          ("const tfc_team *", "team"), ("const void *const *", "inputs"), ("void *const *", "outputs"),
          ("uint8_t *", "arena"), ("const uint8_t *", "constants"), ("int64_t *", "symbols"),
        ])
    }
    if model.device != nil {
      text += checked(
        "tfc_checked_program", "tfc_opencl_program",
        [("tfc_context *", "context"), ("int64_t *", "symbols")])
    }
    return text
  }

  /// The runtime's name of a CPU feature: `sse4.1` is `TFC_CPU_SSE4_1`.
  private static func featureName(_ feature: String) -> String {
    let name = feature == "sahf" ? "lahf" : feature
    return "TFC_CPU_" + name.uppercased().replacing(".", with: "_").replacing("-", with: "_")
  }

  private static func fields(_ fields: [(name: String, value: String?)], indent: String) -> String {
    fields.compactMap { field in field.value.map { "\(indent).\(field.name) = \($0),\n" } }.joined()
  }

  /// The kernels' source and the table that an OpenCL device is used by.
  private var device: String {
    guard let device = model.device else { return "" }
    var text = "TFC_EMBED(char, tfc_opencl_source, \(CText.string(device.sourceFile)));\n\n"
    if !device.functions.isEmpty {
      let rows = device.functions.map { function in
        "    {\(CText.string(function.name)), \(function.bufferCount), \(function.symbolCount), \(function.itemCount)},\n"
      }
      text += "static const tfc_opencl_kernel tfc_opencl_kernels[] = {\n\(rows.joined())};\n\n"
    }
    let hasConstants = device.constantsByteCount > 0
    let fields = Self.fields(
      [
        ("source", "tfc_opencl_source"),
        ("source_byte_count", "\(device.sourceByteCount)"),
        ("needs", device.needs.isEmpty ? nil : device.needs.joined(separator: " | ")),
        ("features", device.features.isEmpty ? nil : device.features.joined(separator: " | ")),
        ("kernel_count", device.functions.isEmpty ? nil : "\(device.functions.count)"),
        ("kernels", device.functions.isEmpty ? nil : "tfc_opencl_kernels"),
        ("constants_offset", hasConstants && device.constantsOffset > 0 ? "\(device.constantsOffset)" : nil),
        ("constants_byte_count", hasConstants ? "\(device.constantsByteCount)" : nil),
        ("arena_byte_count", deviceArena == "0" ? nil : deviceArena),
        ("program", model.checks.isEmpty ? "tfc_opencl_program" : "tfc_checked_program"),
      ], indent: "    ")
    return text + "static const tfc_opencl_code tfc_device_code = {\n\(fields)};\n"
  }

  private var entry: String {
    func count(_ count: Int) -> String? { count > 0 ? "\(count)" : nil }
    func table(_ name: String, _ count: Int) -> String? { count > 0 ? name : nil }
    let fields = Self.fields(
      [
        ("name", CText.string(model.entry)),
        ("symbol_count", count(model.symbols.count)),
        ("expression_count", count(expressions.count)),
        ("input_count", count(model.inputs.count)),
        ("output_count", count(model.outputs.count)),
        ("launch_count", count(model.launchNames.count)),
        ("check_count", count(sentences.count)),
        ("symbols", table("tfc_symbols", model.symbols.count)),
        ("expressions", table("tfc_expressions", expressions.count)),
        ("inputs", table("tfc_inputs", model.inputs.count)),
        ("outputs", table("tfc_outputs", model.outputs.count)),
        ("arena_byte_count", arena == "0" ? nil : arena),
        ("launch_names", table("tfc_launch_names", model.launchNames.count)),
        ("check_sentences", table("tfc_check_sentences", sentences.count)),
        ("program", model.runsOnCPU ? (model.checks.isEmpty ? "tfc_program_run" : "tfc_checked_run") : nil),
        ("data_symbols", model.hasDataSymbols ? "tfc_data_symbols" : nil),
        ("data_symbol_count", count(model.symbols.count { $0.most != nil })),
      ], indent: "        ")
    return "static const tfc_entry tfc_entries[] = {\n    {\n\(fields)    },\n};\n"
  }

  private var artifact: String {
    let hasFeatures = !model.cpuFeatures.isEmpty
    var weights: [(name: String, value: String?)] = []
    switch model.weights {
    case .none: break
    case .embedded: weights = [("weights", "tfc_weights"), ("weight_byte_count", "\(model.weightByteCount)")]
    case .beside: weights = [("weight_byte_count", "\(model.weightByteCount)")]
    }
    var fields: [(name: String, value: String?)] = [
      ("version", "TFC_ABI_VERSION"),
      ("byte_count", "sizeof(tfc_artifact_table)"),
      ("name", CText.string(model.name)),
      ("compiler", CText.string(ModelInterface.compiler)),
      ("build", CText.string(model.build)),
      ("cpu_feature_count", hasFeatures ? "\(model.cpuFeatures.count)" : nil),
      ("cpu_features", hasFeatures ? "tfc_cpu_features" : nil),
      ("entry_count", "1"),
      ("entries", "tfc_entries"),
    ]
    fields += weights
    fields.append(("functions", "&tfc_runtime_functions"))
    fields.append(("threads", model.threads > 0 ? "\(model.threads)" : nil))
    if case .beside(let file, let key) = model.weights {
      fields.append(("weight_file", CText.string(file)))
      fields.append(("weight_key", "0x\(String(key, radix: 16))u"))
    }
    if model.device != nil {
      fields.append(("backend", "&tfc_opencl_backend"))
      fields.append(("device_code", "&tfc_device_code"))
    }
    fields.append(("functions_byte_count", "sizeof(tfc_functions)"))
    fields.append(("entry_byte_count", "sizeof(tfc_entry)"))
    let text = Self.fields(fields, indent: "    ")
    return "const tfc_artifact_table tfc_artifact = {\n\(text)};\n"
  }

  private var symbolValues: String {
    if model.symbols.isEmpty { return "NULL" }
    return "(int64_t[]){" + model.symbols.map { "dims.\($0.identifier)" }.joined(separator: ", ") + "}"
  }

  /// `(const void *const[]){x, y}`; from the fields of a struct where the function has one.
  private func pointers(_ tensors: [ModelInterface.Tensor], _ group: String, _ type: String) -> String {
    if tensors.isEmpty { return "NULL" }
    let prefix = model.usesStructs ? "\(group)->" : ""
    return "(\(type) *const[]){" + tensors.map { prefix + $0.identifier }.joined(separator: ", ") + "}"
  }

  private var run: String {
    let arguments = [
      "(tfc_context *)model", "0", pointers(model.inputs, "inputs", "const void"),
      pointers(model.outputs, "outputs", "void"), symbolValues,
    ]
    return CText.call("int32_t \(model.name)_run", model.runParameters, " {", indent: "    ")
      + CText.call("  return tfc_run", arguments, ";", indent: "      ") + "}\n"
  }

  private var runOnDevice: String {
    if model.device == nil { return "" }
    let arguments = [
      "(tfc_context *)model", "0", pointers(model.inputs, "inputs", "void"),
      pointers(model.outputs, "outputs", "void"), symbolValues,
    ]
    return CText.call("int32_t \(model.name)_run_on_device", model.deviceParameters, " {", indent: "    ")
      + CText.call("  return tfc_run_on_device", arguments, ";", indent: "      ") + "}\n"
  }

  private var outputExtents: String {
    if model.symbols.isEmpty { return "" }
    let name = model.name
    return "int64_t \(name)_output_extents(int32_t output, \(name)_dims dims, int64_t *extents) {\n"
      + CText.call(
        "  return tfc_output_extents", ["&tfc_entries[0]", "output", symbolValues, "extents"], ";", indent: "      ")
      + "}\n"
  }

  private var lastDims: String {
    if !model.hasDataSymbols { return "" }
    let name = model.name
    let values = model.symbols.indices.map { "tfc_values[\($0)]" }.joined(separator: ", ")
    let unknown = model.symbols.map { _ in "-1" }.joined(separator: ", ")
    return "\(name)_dims \(name)_last_dims(const \(name) *model) {\n"
      + "  const int64_t *tfc_values = tfc_symbols_of((const tfc_context *)model, 0);\n"
      + "  if (tfc_values == NULL) return (\(name)_dims){\(unknown)};\n"
      + "  return (\(name)_dims){\(values)};\n}\n"
  }
}
