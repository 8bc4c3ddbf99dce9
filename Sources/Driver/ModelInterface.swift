internal import Codegen
internal import IR
internal import Passes

/// What a compiled model says about itself, to its callers and to the runtime: the content of header and tables.
struct ModelInterface: Hashable, Sendable {
  struct Tensor: Hashable, Sendable {
    /// The name in the graph.
    var name: String
    /// The name in C.
    var identifier: String
    var type: TensorType
    /// Of an output: the input whose buffer it may share.
    var alias: Int?

    init(name: String, identifier: String? = nil, type: TensorType, alias: Int? = nil) {
      self.name = name
      self.identifier = identifier ?? name
      self.type = type
      self.alias = alias
    }
  }

  struct SymbolInfo: Hashable, Sendable {
    var symbol: Symbol
    /// The name of its field in the dims struct.
    var identifier: String
    var bounds: SymbolBounds
    /// Of a symbol that data decides: the most that it can be.
    var most: Extent?
  }

  /// Where the weights are when a program is loaded.
  enum Weights: Hashable, Sendable {
    case none
    /// In the library, from this file in the folder where it is compiled.
    case embedded(file: String)
    /// In this file beside the library, which ends with the key.
    case beside(file: String, key: UInt64)
  }

  /// The OpenCL side of a model.
  struct Device: Hashable, Sendable {
    struct Function: Hashable, Sendable {
      var name: String
      var bufferCount: Int
      var symbolCount: Int
      var itemCount: Int
    }

    /// The file with the functions in OpenCL C, in the folder where the library is compiled.
    var sourceFile: String
    var sourceByteCount: Int
    var functions: [Function]
    /// What the device must have, by the runtime's names.
    var needs: [String] = []
    /// What it makes use of where the device has it.
    var features: [String] = []
    /// Where the program's constants are among the weights.
    var constantsOffset = 0
    var constantsByteCount = 0
    var arenaByteCount: Extent = .zero
  }

  static let compiler = "tfc 0.1.0"

  /// The model's name, an identifier.
  var name: String
  /// The header's file name, which may have any characters.
  var headerName: String
  /// The facts of the build: `cpu=x86-64-v4 precision=f32 fusion=on`.
  var build: String
  var entry = "main"
  var symbols: [SymbolInfo] = []
  var inputs: [Tensor]
  var outputs: [Tensor]
  /// The scratch memory of a call, on the CPU where there is code for it.
  var arenaByteCount: Extent = .zero
  /// Whether there is code for the CPU.
  var runsOnCPU = true
  /// What is there for an OpenCL device, if any.
  var device: Device?
  /// What the CPU must have, in LLVM's names.
  var cpuFeatures: [String] = []
  var launchNames: [String] = []
  /// What a check that the program itself makes says, by its number.
  var checkSentences: [String] = []
  /// What is checked before the program runs; numbered behind its own.
  var checks: [ExtentCheck] = []
  var weights = Weights.none
  var weightByteCount = 0
  /// The most threads of a call whose caller does not say, or 0.
  var threads = 0
  /// Whether the typed function takes structs with one pointer a tensor.
  var usesStructs: Bool

  init(name: String, headerName: String? = nil, build: String, inputs: [Tensor], outputs: [Tensor]) {
    self.name = name
    self.headerName = headerName ?? "lib\(name).h"
    self.build = build
    self.inputs = inputs
    self.outputs = outputs
    usesStructs = inputs.count + outputs.count > 16
  }
}

extension ModelInterface {
  /// The interface of a function, its names turned into identifiers.
  init(name: String, headerName: String, build: String, function: Function, bounds: [Symbol: SymbolBounds]) {
    // A parameter must not hide a name that the typed function uses.
    var names = IdentifierNames(reserved: [
      name, "model", "dims", "inputs", "outputs", "tfc_run", "tfc_run_on_device", "tfc_context", "tfc_artifact",
      "tfc_entries",
    ])
    var inputs: [Tensor] = []
    for (position, type) in function.graph.parameterTypes.enumerated() {
      let given = function.parameterNames[position]
      let identifier = names.identifier(for: given, fallback: "arg\(position)")
      inputs.append(Tensor(name: given, identifier: identifier, type: type))
    }
    var outputs: [Tensor] = []
    for (position, type) in function.graph.resultTypes.enumerated() {
      let given = function.resultNames[position]
      let identifier = names.identifier(for: given, fallback: "out\(position)")
      outputs.append(Tensor(name: given, identifier: identifier, type: type))
    }
    self.init(name: name, headerName: headerName, build: build, inputs: inputs, outputs: outputs)
    var fields = IdentifierNames()
    entry = function.name
    symbols = function.symbols.map { symbol in
      SymbolInfo(
        symbol: symbol, identifier: fields.identifier(for: symbol.name, fallback: "dim"),
        bounds: bounds[symbol] ?? SymbolBounds())
    }
  }
}

extension ModelInterface {
  /// The header's name where the library is compiled: `#include` knows no escapes.
  var plainHeaderName: String { "lib\(name).h" }

  /// Adds symbols that data decides, behind those of the arguments.
  mutating func addDataSymbols(_ added: [DataSymbol], _ bounds: [Symbol: SymbolBounds]) {
    var fields = IdentifierNames(reserved: symbols.map(\.identifier))
    for data in added {
      let identifier = fields.identifier(for: data.symbol.name, fallback: "size")
      symbols.append(
        SymbolInfo(
          symbol: data.symbol, identifier: identifier, bounds: bounds[data.symbol] ?? SymbolBounds(), most: data.most))
    }
  }

  var hasDataSymbols: Bool { symbols.contains { $0.most != nil } }

  /// For each output, the input whose memory it may share, where the program allows that.
  mutating func setAliases(_ aliases: [Int?]) {
    for (position, alias) in aliases.enumerated() { outputs[position].alias = alias }
  }
}

extension ElementType {
  /// The name of the type's number in the runtime's header.
  var runtimeName: String {
    switch self {
    case .complex64: "TFC_COMPLEX64"
    case .complex128: "TFC_COMPLEX128"
    default: "TFC_" + rawValue.uppercased()
    }
  }

  /// The C type that holds an element, or its bits, or one part of a complex one.
  var cName: String {
    switch self {
    case .i1: "uint8_t"
    case .i2, .i4, .i8: "int8_t"
    case .i16: "int16_t"
    case .i32: "int32_t"
    case .i64: "int64_t"
    case .ui16, .f16, .bf16: "uint16_t"
    case .ui32: "uint32_t"
    case .ui64: "uint64_t"
    case .f32, .complex64: "float"
    case .f64, .complex128: "double"
    default: "uint8_t"
    }
  }
}
