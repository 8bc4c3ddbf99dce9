internal import CRuntime
internal import CodegenLLVM
internal import Foundation
internal import IR

/// A shared library in this process.
struct LoadedLibrary: ~Copyable {
  let handle: UnsafeMutableRawPointer

  init(_ path: String) throws(Failure) {
    let header = try Files.prefix(path, 64)
    if header.count == 64, header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]) {
      try Self.expectThisMachine(path, header)
      try Self.expectWhole(path, header)
    }
    guard let handle = dlopen(Files.absolute(path), RTLD_NOW | RTLD_LOCAL) else {
      throw .refused("the library cannot be loaded: \(dlerror().map { String(cString: $0) } ?? "")", place: path)
    }
    self.handle = handle
  }

  deinit { dlclose(handle) }

  private static func expectThisMachine(_ path: String, _ header: [UInt8]) throws(Failure) {
    let machines: [UInt16: Triple.Architecture] = [62: .x86, 183: .aarch64]
    let number = UInt16(header[18]) | UInt16(header[19]) << 8
    guard let machine = machines[number], let host = Triple.host.architecture, machine != host else { return }
    throw .refused("the library is for \(machine.rawValue), this machine is \(host.rawValue)", place: path)
  }

  /// Throws where the file ends before its sections' table, which is its last part: `dlopen` would map pages that are
  /// not there.
  private static func expectWhole(_ path: String, _ header: [UInt8]) throws(Failure) {
    let (table, size, count): (UInt64, UInt16, UInt16) = header.withUnsafeBytes { bytes in
      (
        bytes.loadUnaligned(fromByteOffset: 40, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 58, as: UInt16.self),
        bytes.loadUnaligned(fromByteOffset: 60, as: UInt16.self)
      )
    }
    let (end, overflows) = table.addingReportingOverflow(UInt64(size) * UInt64(count))
    guard !overflows, end <= UInt64(Files.byteCount(path)) else {
      throw .refused("the library is cut off: it has \(Files.byteCount(path)) bytes of \(end)", place: path)
    }
  }
}

/// A compiled model, loaded from its library and ready to run.
///
/// It is used through `tfc_artifact` only, as any program would that does not know the model.
struct Artifact: ~Copyable {
  struct Tensor {
    var name: String
    var elementType: ElementType
    /// Numbers, or expressions as the table writes them.
    var extents: [String]
    /// The extents' own numbers; nil where they depend on symbols.
    var fixedDimensions: [Int?]
  }

  private let library: LoadedLibrary
  private let table: UnsafePointer<tfc_artifact_table>
  private let functions: UnsafePointer<tfc_functions>
  private let context: OpaquePointer
  /// What errors are said of: the library, or the graph that it was just made from.
  let place: String
  let inputs: [Tensor]
  let outputs: [Tensor]
  /// How long `create` took.
  let createDuration: Duration

  private var entry: tfc_entry { table.pointee.entries[0] }

  /// Loads the library and creates a model; `threads` 0 is the library's own default.
  init(_ path: String, threads: Int = 0, place: String? = nil) throws(Failure) {
    let place = place ?? path
    let clock = ContinuousClock()
    let start = clock.now
    let library = try LoadedLibrary(path)
    let table = try Self.table(library.handle, place)
    guard let functions = table.pointee.functions, table.pointee.entries != nil, table.pointee.entry_count > 0 else {
      throw .refused("the library's table has no entry", place: place)
    }
    let entry = table.pointee.entries[0]
    let inputs = try Self.tensors(entry.inputs, entry.input_count, entry, place)
    let outputs = try Self.tensors(entry.outputs, entry.output_count, entry, place)
    var options = tfc_options()
    options.threads = Int32(clamping: threads)
    guard let context = functions.pointee.create(table, &options) else {
      throw .runtime("the model cannot be created: \(Self.sentence(functions, nil))", place: place)
    }
    createDuration = clock.now - start
    self.library = library
    (self.table, self.functions, self.context, self.place) = (table, functions, context, place)
    (self.inputs, self.outputs) = (inputs, outputs)
  }

  deinit { functions.pointee.destroy(context) }

  private static func table(_ handle: UnsafeMutableRawPointer, _ place: String) throws(Failure)
    -> UnsafePointer<tfc_artifact_table>
  {
    guard let symbol = dlsym(handle, "tfc_artifact") else {
      throw .refused("the library has no tfc_artifact, so tfc did not make it", place: place)
    }
    let table = UnsafePointer(symbol.assumingMemoryBound(to: tfc_artifact_table.self))
    guard table.pointee.version == TFC_ABI_VERSION else {
      throw .refused(
        "the library's interface has version \(table.pointee.version), expected \(TFC_ABI_VERSION)", place: place)
    }
    return table
  }

  private static func tensors(
    _ infos: UnsafePointer<tfc_tensor_info>?, _ count: Int32, _ entry: tfc_entry, _ place: String
  ) throws(Failure) -> [Tensor] {
    guard let infos else { return [] }
    var tensors: [Tensor] = []
    for info in UnsafeBufferPointer(start: infos, count: Int(count)) {
      guard let type = ElementType(runtimeType: info.type) else {
        throw .refused("the library's table has the unknown type \(info.type)", place: place)
      }
      var texts: [String] = []
      var fixed: [Int?] = []
      for d in 0..<Int(info.rank) {
        let extent = info.extents[d]
        texts.append(extent >= 0 ? "\(extent)" : String(cString: entry.expressions[Int(-1 - extent)].text))
        fixed.append(extent >= 0 ? Int(extent) : nil)
      }
      tensors.append(
        Tensor(name: String(cString: info.name), elementType: type, extents: texts, fixedDimensions: fixed))
    }
    return tensors
  }

  private static func sentence(_ functions: UnsafePointer<tfc_functions>, _ context: OpaquePointer?) -> String {
    functions.pointee.last_error(context).map { String(cString: $0) } ?? ""
  }

  private func check(_ status: Int32) throws(Failure) {
    guard status != TFC_OK.rawValue else { return }
    let message = Self.sentence(functions, context)
    // A refused argument is the caller's fault, all else happened while the model ran.
    let kind: Failure.Kind = status == TFC_INVALID_ARGUMENT.rawValue ? .refused : .runtime
    throw Failure(kind, [Diagnostic(place: place, message: message.isEmpty ? "status \(status)" : message)])
  }

  /// Why the model runs on the CPU although it has code for a device, in a line; nil where it has none or runs on it.
  var deviceRefusal: String? {
    let (known, whole) = (MemoryLayout<tfc_artifact_table>.size, MemoryLayout<tfc_functions>.size)
    guard table.pointee.byte_count >= known, table.pointee.functions_byte_count >= whole else { return nil }
    var why: UnsafePointer<CChar>?
    guard functions.pointee.target(context, &why) == TFC_TARGET_CPU.rawValue, let why, why.pointee != 0 else {
      return nil
    }
    return String(cString: why).split(separator: "\n").first.map(String.init)
  }

  /// Says so where a device was to run the model and the CPU does.
  func showDeviceRefusal(_ progress: Progress) {
    guard let deviceRefusal else { return }
    progress.show("\(place): runs on the CPU: \(deviceRefusal)")
  }

  // MARK: Calls

  /// Dimensions for the inputs, where only some are given: symbols that these do not determine get the preferred value,
  /// within their bounds. A leading symbol is the first extent of some input.
  func inputDimensions(given: [[Int]?], preferred: (_ symbol: String, _ isLeading: Bool) -> Int) throws(Failure)
    -> [[Int]]
  {
    let symbolInfos = UnsafeBufferPointer(start: entry.symbols, count: Int(entry.symbol_count))
    var values = [Int64?](repeating: nil, count: symbolInfos.count)
    for (position, dimensions) in given.enumerated() {
      guard let dimensions, dimensions.count == inputs[position].extents.count else { continue }
      for (d, value) in dimensions.enumerated() {
        let extent = entry.inputs[position].extents[d]
        guard extent < 0 else { continue }
        let expression = entry.expressions[Int(-1 - extent)]
        guard expression.symbol >= 0, values[Int(expression.symbol)] == nil else { continue }
        values[Int(expression.symbol)] = (Int64(value) - expression.offset) / expression.scale
      }
    }
    let leading = inputs.compactMap(\.extents.first)
    var symbols: [Int64] = []
    for (index, info) in symbolInfos.enumerated() {
      let name = String(cString: info.name)
      let wanted = Int64(preferred(name, leading.contains(name)))
      symbols.append(values[index] ?? min(max(wanted, info.lower), info.upper))
    }
    if symbols.isEmpty { symbols = [0] }
    var all: [[Int]] = []
    for (position, input) in inputs.enumerated() {
      var extents = [Int64](repeating: 0, count: max(1, input.extents.count))
      let info = entry.inputs + position
      guard functions.pointee.extents(table.pointee.entries, info, symbols, &extents) >= 0 else {
        throw .refused("input '\(input.name)' does not fit into memory", place: place)
      }
      all.append(extents.prefix(input.extents.count).map { Int($0) })
    }
    return all
  }

  /// The values that inputs of these dimensions give to the symbols, and the dimensions of the outputs: where data decides them,
  /// the largest that they can be.
  func solve(_ inputs: [Literal]) throws(Failure) -> (symbols: [Int64], outputs: [[Int]]) {
    var symbols = [Int64](repeating: 0, count: max(1, Int(entry.symbol_count)))
    let extents: [Int64] = inputs.flatMap { $0.dimensions.map { Int64($0) } }
    let status = extents.withUnsafeBufferPointer { extents in
      var position = 0
      var tensors: [tfc_tensor] = []
      for input in inputs {
        tensors.append(
          tfc_tensor(
            data: nil, byte_count: Int64(input.byteCount), extents: extents.baseAddress.map { $0 + position },
            rank: Int32(input.dimensions.count), type: input.elementType.runtimeType))
        position += input.dimensions.count
      }
      return functions.pointee.solve(context, 0, tensors, Int32(tensors.count), &symbols)
    }
    try check(status)
    return (symbols, try outputDimensions(symbols))
  }

  private func outputDimensions(_ symbols: UnsafePointer<Int64>) throws(Failure) -> [[Int]] {
    var dimensions: [[Int]] = []
    for index in outputs.indices {
      var extents = [Int64](repeating: 0, count: max(1, outputs[index].extents.count))
      let byteCount = functions.pointee.extents(table.pointee.entries, entry.outputs + index, symbols, &extents)
      guard byteCount >= 0 else {
        throw .runtime("output \(index) '\(outputs[index].name)' does not fit into memory", place: place)
      }
      dimensions.append(extents.prefix(outputs[index].extents.count).map { Int($0) })
    }
    return dimensions
  }

  /// The scratch memory of a call, in bytes.
  func arenaByteCount(_ symbols: [Int64]) -> Int {
    Int(functions.pointee.arena_byte_count(table.pointee.entries, symbols))
  }

  var weightByteCount: Int { Int(table.pointee.weight_byte_count) }
  var build: String { String(cString: table.pointee.build) }
  var name: String { String(cString: table.pointee.name) }

  /// One call with the buffers' inputs, into the buffers' outputs.
  func run(_ buffers: borrowing CallBuffers) throws(Failure) {
    let status = buffers.withTensors { inputs, outputs in
      functions.pointee.run(
        context, 0, inputs.baseAddress, Int32(inputs.count), outputs.baseAddress, Int32(outputs.count))
    }
    try check(status)
  }

  /// One call with elements where they lie.
  func run(_ inputs: [TensorMemory], into outputs: [TensorMemory]) throws(Failure) {
    let all = inputs + outputs
    let status = all.flatMap { $0.dimensions.map { Int64($0) } }.withUnsafeBufferPointer { extents in
      var position = 0
      let tensors = all.map { memory in
        let rank = memory.dimensions.count
        defer { position += rank }
        return tfc_tensor(
          data: memory.data, byte_count: Int64(memory.byteCount), extents: extents.baseAddress.map { $0 + position },
          rank: Int32(rank), type: memory.elementType.runtimeType)
      }
      return tensors.withUnsafeBufferPointer { tensors in
        functions.pointee.run(
          context, 0, tensors.baseAddress, Int32(inputs.count), tensors.baseAddress.map { $0 + inputs.count },
          Int32(outputs.count))
      }
    }
    try check(status)
  }

  /// The outputs of the last call, which was made with these buffers.
  func results(in buffers: borrowing CallBuffers) throws(Failure) -> [Literal] {
    guard hasDataSymbols, let symbols = functions.pointee.symbols(context, 0) else { return buffers.results }
    return buffers.results(try outputDimensions(symbols))
  }

  /// Whether the data decides extents. A table without `entry_byte_count` has no word of them.
  private var hasDataSymbols: Bool {
    let known = MemoryLayout<tfc_artifact_table>.offset(of: \.entry_byte_count) ?? .max
    guard table.pointee.byte_count > known else { return false }
    return Int(table.pointee.entry_byte_count) >= MemoryLayout<tfc_entry>.size && entry.data_symbol_count > 0
  }

  /// How often each launch has run since the counters were reset, in a library compiled with profiling.
  var launchCounts: [Int] {
    guard let profile = functions.pointee.profile(context, 0) else { return [] }
    return (0..<Int(entry.launch_count)).map { Int(profile[$0].count) }
  }

  /// How long the runs of each launch took together since the counters were reset.
  var launchNanoseconds: [Int64] {
    guard let profile = functions.pointee.profile(context, 0) else { return [] }
    return (0..<Int(entry.launch_count)).map { profile[$0].nanoseconds }
  }

  func resetProfile() { functions.pointee.reset_profile(context) }
}

/// The memory of one call's inputs and outputs.
struct CallBuffers: ~Copyable {
  private let memory: UnsafeMutableRawPointer
  private let extents: UnsafeMutablePointer<Int64>
  private let inputs: [tfc_tensor]
  private let outputs: [tfc_tensor]
  private let outputTypes: [(type: ElementType, dimensions: [Int])]

  private static let largePage = 2 << 20

  /// Room for the tensors, with the inputs' elements in it; in large pages, as NumPy asks for them, where it is large.
  init(_ artifact: borrowing Artifact, inputs: [Literal], outputDimensions: [[Int]]) throws(Failure) {
    outputTypes = zip(artifact.outputs, outputDimensions).map { ($0.elementType, $1) }
    try Self.check(outputTypes, "outputs", place: artifact.place)
    let outputByteCounts = outputTypes.map { $0.dimensions.reduce($0.type.byteCount, *) }
    let aligned = (inputs.map(\.byteCount) + outputByteCounts).map { ($0 + 63) / 64 * 64 }
    let byteCount = max(64, aligned.reduce(0, +))
    let isLarge = byteCount >= 4 * Self.largePage
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, isLarge ? Self.largePage : 64, byteCount) == 0, let pointer else {
      throw .runtime("no memory for inputs and outputs", place: artifact.place)
    }
    #if os(Linux)
      if isLarge { _ = madvise(pointer, byteCount, MADV_HUGEPAGE) }
    #endif
    memory = pointer
    extents = .allocate(capacity: max(1, inputs.map(\.dimensions.count).reduce(0, +)))
    var offset = 0
    var rankSum = 0
    var inputTensors: [tfc_tensor] = []
    for (position, literal) in inputs.enumerated() {
      let data = pointer + offset
      literal.copyElements(to: data)
      for (d, extent) in literal.dimensions.enumerated() { (extents + rankSum + d).initialize(to: Int64(extent)) }
      inputTensors.append(
        tfc_tensor(
          data: data, byte_count: Int64(literal.byteCount), extents: UnsafePointer(extents + rankSum),
          rank: Int32(literal.dimensions.count), type: literal.elementType.runtimeType))
      rankSum += literal.dimensions.count
      offset += aligned[position]
    }
    var outputTensors: [tfc_tensor] = []
    for (position, byteCount) in outputByteCounts.enumerated() {
      outputTensors.append(
        tfc_tensor(
          data: pointer + offset, byte_count: Int64(byteCount), extents: nil, rank: 0,
          type: outputTypes[position].type.runtimeType))
      offset += aligned[inputs.count + position]
    }
    self.inputs = inputTensors
    self.outputs = outputTensors
  }

  /// Refuses tensors that this machine has no memory for.
  static func check(_ tensors: [(type: ElementType, dimensions: [Int])], _ what: String, place: String) throws(Failure)
  {
    let byteCount = tensors.reduce(0.0) { sum, tensor in
      sum + tensor.dimensions.reduce(Double(tensor.type.byteCount)) { $0 * Double($1) }
    }
    let available = Double(sysconf(Int32(_SC_PHYS_PAGES))) * Double(sysconf(Int32(_SC_PAGESIZE)))
    if byteCount < available { return }
    let gigabytes = [byteCount, available].map { String(format: "%.0f", $0 / 1e9) }
    throw .refused("the \(what) take \(gigabytes[0]) GB, and this machine has \(gigabytes[1])", place: place)
  }

  deinit {
    free(memory)
    extents.deallocate()
  }

  func withTensors<T>(
    _ body: (UnsafeBufferPointer<tfc_tensor>, UnsafeBufferPointer<tfc_tensor>) -> T
  ) -> T {
    inputs.withUnsafeBufferPointer { inputs in outputs.withUnsafeBufferPointer { body(inputs, $0) } }
  }

  /// The outputs of the last call of a model whose extents no data decides.
  var results: [Literal] { results(nil) }

  /// The outputs of the last call, of other dimensions than there is room for where they are given.
  fileprivate func results(_ dimensions: [[Int]]?) -> [Literal] {
    zip(outputs, outputTypes).enumerated().map { position, output in
      let (type, dimensions) = (output.1.type, dimensions?[position] ?? output.1.dimensions)
      let byteCount = dimensions.reduce(type.byteCount, *)
      return Literal(type, dimensions, bytes: Array(UnsafeRawBufferPointer(start: output.0.data, count: byteCount)))
    }
  }
}

extension Literal {
  /// Writes every element's bytes to `destination`, which has room for them.
  fileprivate func copyElements(to destination: UnsafeMutableRawPointer) {
    let expanded = isSplat ? self.expanded : self
    expanded.bytes.withUnsafeBytes { raw in
      if let source = raw.baseAddress { destination.copyMemory(from: source, byteCount: raw.count) }
    }
  }
}

extension ElementType {
  /// The type's number in the runtime's interface.
  var runtimeType: Int32 {
    let number: tfc_type =
      switch self {
      case .i1: TFC_I1
      case .i2: TFC_I2
      case .i4: TFC_I4
      case .i8: TFC_I8
      case .i16: TFC_I16
      case .i32: TFC_I32
      case .i64: TFC_I64
      case .ui2: TFC_UI2
      case .ui4: TFC_UI4
      case .ui8: TFC_UI8
      case .ui16: TFC_UI16
      case .ui32: TFC_UI32
      case .ui64: TFC_UI64
      case .f16: TFC_F16
      case .bf16: TFC_BF16
      case .f32: TFC_F32
      case .f64: TFC_F64
      case .complex64: TFC_COMPLEX64
      case .complex128: TFC_COMPLEX128
      case .f8E3M4: TFC_F8E3M4
      case .f8E4M3: TFC_F8E4M3
      case .f8E4M3FN: TFC_F8E4M3FN
      case .f8E4M3FNUZ: TFC_F8E4M3FNUZ
      case .f8E4M3B11FNUZ: TFC_F8E4M3B11FNUZ
      case .f8E5M2: TFC_F8E5M2
      case .f8E5M2FNUZ: TFC_F8E5M2FNUZ
      case .f8E8M0FNU: TFC_F8E8M0FNU
      case .f4E2M1FN: TFC_F4E2M1FN
      case .f6E2M3FN: TFC_F6E2M3FN
      case .f6E3M2FN: TFC_F6E3M2FN
      }
    return Int32(number.rawValue)
  }

  init?(runtimeType number: Int32) {
    guard let type = Self.allCases.first(where: { $0.runtimeType == number }) else { return nil }
    self = type
  }
}
