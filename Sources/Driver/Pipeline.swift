internal import Codegen
internal import CodegenLLVM
internal import CodegenOpenCL
internal import Foundation
internal import IR
internal import Passes

/// The way from a graph's file to a shared library.
public struct Pipeline: Sendable {
  let options: Options
  let progress: Progress
  private let compiler: LLVMCompiler
  /// The OpenCL device that kernels are made for; nil for kernels that fit all.
  private let device: OpenCLDevice?
  /// What schedules know of the OpenCL device; nil where the library runs on the CPU only.
  private let deviceTarget: Target?
  /// The variants of schedules that fusions use.
  var tuning: Tuning

  /// Throws where the options ask for what there is not: a processor that LLVM does not know, a device.
  public init(_ options: Options, progress: Progress = .silent) throws(Failure) {
    try options.check()
    self.options = options
    self.progress = progress
    let triple = try options.machine
    device = try OpenCLDevice.chosen(by: options)
    deviceTarget =
      options.target.usesOpenCL
      ? .openCL(
        device?.workGroups ?? .portable, hasF64: device?.fp64 ?? true, tileFormats: device?.tileFormats ?? []) : nil
    do throws(LLVMError) {
      compiler = try LLVMCompiler(cpu: options.cpu, triple: triple, multipliesBFloats: options.precision == .bf16)
    } catch {
      throw .refused(error.description)
    }
    tuning =
      try options.tuningFile.map { file throws(Failure) in try TuningFile(reading: file) }?
      .tuning(for: compiler.target) ?? Tuning()
  }

  /// What schedules know of the machine that code is made for, of two the first.
  var target: Target { deviceTarget ?? compiler.target }

  /// What the file has, with the function that is compiled.
  struct Source {
    var path: String
    var module: Module
    var function: Function
  }

  /// Reads a graph; `inputs` says what is known of the graph's inputs. Calls are inlined, shapes resolved.
  func source(_ path: String, inputs: [String: NumpyFile] = [:]) throws(Failure) -> Source {
    let reader = GraphReader(dimensions: options.dimensions, inputs: inputs, function: options.function)
    let read = try reader.module(atPath: path)
    if let name = options.function, read.function(named: name) == nil {
      let names = read.functions.filter(\.isPublic).map(\.name).joined(separator: ", ")
      throw .refused("no function '\(name)'; the file has \(names)", place: path)
    }
    let module: Module
    do throws(OpError) { module = try read.resolved(function: options.function) } catch {
      throw Self.failure(error, path)
    }
    let fixed = try reader.settingDimensions(of: module, path)
    guard let function = fixed.functions.first else { throw .refused("the file has no function", place: path) }
    return try differentiated(Source(path: path, module: fixed, function: function))
  }

  /// The function after these passes.
  func optimized(_ source: Source, _ passes: [Pass], _ times: inout StageTimes) throws(Failure) -> Function {
    let stages = ["import"] + passes.map(\.name)
    for name in options.dumpsAfter where !stages.contains(name) {
      let known = stages.joined(separator: ", ")
      throw .refused("no pass '\(name)'; expected one of \(known)")
    }
    if options.dumpsAfter.contains("import") { progress.show("// after import\n\(source.function.irText())") }
    var pipeline = PassPipeline(passes)
    pipeline.verifies = options.verifies
    pipeline.explains = options.explains
    if !options.dumpsAfter.isEmpty {
      let (names, progress) = (options.dumpsAfter, progress)
      pipeline.afterPass = { pass, function in
        if names.contains(pass.name) { progress.show("// after \(pass.name)\n\(function.irText())") }
      }
    }
    do throws(OpError) {
      let outcome = try pipeline.run(source.function, in: source.module)
      for report in outcome.reports { times.add("pass \(report.pass)", report.duration) }
      for explanation in outcome.explanations { progress.show("\(explanation)") }
      return outcome.function
    } catch {
      throw Self.failure(error, source.path)
    }
  }

  /// The kernels and launches of a function, for each machine.
  func programs(_ function: Function, _ needs: ExtentNeeds, _ path: String) throws(Failure) -> Programs {
    var programs = Programs()
    do throws(OpError) {
      try function.checkExtents()
      if let deviceTarget {
        programs.device = DeviceCode(
          try Program(
            function, bounds: needs.bounds, checks: needs.late, target: deviceTarget,
            precision: options.precision.ofProducts))
      }
      if options.target.usesCPU {
        programs.cpu = try Program(
          function, bounds: needs.bounds, checks: needs.late, target: compiler.target,
          precision: options.precision.ofProducts, tuning: tuning)
      }
    } catch {
      throw Self.failure(error, path)
    }
    if let device, let code = programs.device { try device.check(code) }
    return programs
  }

  var passes: [Pass] {
    let order = options.fuses ? Pass.order : Pass.orderWithoutFusion
    if deviceTarget != nil { return order }
    let passes = Pass.transformingLines(order)
    return compiler.target.hasBFloatProducts ? Pass.multiplyingBFloats(passes) : passes
  }

  static func failure(_ error: OpError, _ path: String) -> Failure {
    switch error.kind {
    case .unsupported: Failure(.refused, [Diagnostic(place: path, severity: .unsupported, message: error.message)])
    case .invalid: .refused(error.message, place: path)
    }
  }

  // MARK: Files

  /// Compiles the graph at `path` into `output` and, for a library, the header beside it.
  ///
  /// `output` nil is the file that the graph's name suggests; the text of an emission other than `so` and `obj` is
  /// returned then.
  @discardableResult
  public func compile(_ path: String, to output: String?) throws(Failure) -> String? {
    defer { progress.end() }
    var times = StageTimes()
    for file in [output, options.weightsFile].compactMap({ $0 }) where Files.areSame(file, path) {
      throw .refused("the output would replace the graph", place: file)
    }
    progress.begin("reading \(path)")
    let source = try times.measure("import") { () throws(Failure) in try self.source(path) }
    let stem = Files.name(of: path).split(separator: ".").first.map(String.init) ?? "model"
    var text: String?
    switch options.emission {
    case .so:
      try library(source, output ?? "lib\(stem).so", &times)
    case .obj:
      try write(try object(source, &times), to: output ?? "\(stem).o")
    case .llvm, .asm, .kernels, .opencl, .stablehlo:
      let code = try self.text(source, &times)
      if let output { try write(Array(code.utf8), to: output) } else { text = code }
    }
    if options.timesPasses { progress.show(times.table) }
    return text
  }

  private func write(_ bytes: [UInt8], to path: String) throws(Failure) { try Files.replace(path, with: bytes) }

  private var codeOptions: LLVMCompiler.Options {
    var code = LLVMCompiler.Options()
    code.verifies = options.verifies
    code.profiles = options.profiles
    return code
  }

  private func object(_ source: Source, _ times: inout StageTimes) throws(Failure) -> [UInt8] {
    let needs = try extentNeeds(source)
    let programs = try self.programs(try optimized(source, passes, &times), needs, source.path)
    var code = codeOptions
    code.isOneObject = true
    do throws(LLVMError) {
      if let device = programs.device { return try compiler.compile(device.host, options: code) }
      return try compiler.compile(programs.first, options: code).first ?? []
    } catch {
      throw .runtime("\(error)", place: source.path)
    }
  }

  private func text(_ source: Source, _ times: inout StageTimes) throws(Failure) -> String {
    if options.emission == .stablehlo {
      let last = Pass.order.firstIndex { $0.name == Pass.fusion.name } ?? Pass.order.endIndex
      return try optimized(source, Array(Pass.order[..<last]), &times).irText()
    }
    let needs = try extentNeeds(source)
    let programs = try self.programs(try optimized(source, passes, &times), needs, source.path)
    if options.emission == .kernels { return programs.first.kernels.map(\.description).joined(separator: "\n") }
    if options.emission == .opencl { return programs.device?.source.text ?? "" }
    do throws(LLVMError) {
      let isAssembly = options.emission == .asm
      if let host = programs.device?.host {
        return try isAssembly
          ? compiler.assemblyText(host, options: codeOptions) : compiler.llvmText(host, options: codeOptions)
      }
      return try isAssembly
        ? compiler.assemblyText(programs.first, options: codeOptions)
        : compiler.llvmText(programs.first, options: codeOptions)
    } catch {
      throw .runtime("\(error)", place: source.path)
    }
  }

  /// Compiles and links; the library and its header come to their places only when both are whole.
  ///
  /// Returns the program that runs where a library has two, without its constants.
  @discardableResult
  func library(_ source: consuming Source, _ output: String, _ times: inout StageTimes) throws(Failure) -> Program {
    try Files.expectPlace(output)
    let toolchain = try Toolchain.find(for: compiler.triple)
    let path = source.path
    let needs = try extentNeeds(source)
    let names = OutputNames(output)
    guard FileManager.default.fileExists(atPath: names.folder) else {
      throw .refused("the folder does not exist", place: names.folder)
    }
    let work = try TemporaryFolder(in: Files.absolute(names.folder))
    let preparation = try RuntimeObject.begin(
      toolchain, fallback: work.path, root: options.usesCache ? RuntimeObject.cacheFolder : nil)
    progress.begin("passes")
    let function = try optimized(source, passes, &times)
    progress.begin("kernels")
    var programs = try times.measure("kernels") { () throws(Failure) in try self.programs(function, needs, path) }
    try Files.expectPlace("\(names.folder)/\(names.header)")
    var model = ModelInterface(
      name: names.model, headerName: names.header, build: buildFacts, function: function, bounds: needs.bounds)
    model.checks = needs.early
    describe(programs, needs.bounds, &model)
    if let device = programs.device { try Files.write(device.source.text, to: work.file(Self.sourceFile)) }
    try times.measure("weights") { () throws(Failure) in
      try writeWeights(programs.constants, &model, work.path, output)
    }
    programs.removeConstants()
    try Files.write(Header(model).text, to: work.file(model.plainHeaderName))
    try Files.write(Stub(model).text, to: work.file("stub.c"))
    let stub = try toolchain.compile("stub.c", to: "stub.o", includes: preparation.includes, in: work.path)
    progress.begin("code")
    let code = try times.measure("code") { () throws(Failure) in try objects(programs, work.path, path) }
    let clock = ContinuousClock()
    let start = clock.now
    try stub.finish()
    times.add("stub", clock.now - start)
    let runtime = try preparation.finish()
    times.add("runtime", clock.now - start)
    progress.begin("linking")
    try times.measure("link") { () throws(Failure) in
      try toolchain.link(
        ["stub.o"] + code + [runtime.object], to: "library.so", soname: names.library, in: work.path)
    }
    if case .beside(let file, _) = model.weights {
      try Files.move(work.file("weights"), to: "\(names.folder)/\(file)")
    }
    try Files.move(work.file(model.plainHeaderName), to: "\(names.folder)/\(names.header)")
    try Files.move(work.file("library.so"), to: output)
    return programs.first
  }

  /// What the function's ops need of extents.
  func extentNeeds(_ source: borrowing Source) throws(Failure) -> ExtentNeeds {
    do throws(OpError) {
      return try ExtentNeeds(source.function.graph, bounds: source.module.symbolBounds)
    } catch {
      throw Self.failure(error, source.path)
    }
  }

  /// The file with the kernels in OpenCL C, in the folder where a library is made.
  private static let sourceFile = "kernels.cl"

  private func describe(_ programs: Programs, _ bounds: [Symbol: SymbolBounds], _ model: inout ModelInterface) {
    model.runsOnCPU = programs.cpu != nil
    model.device = programs.device?.interface(
      sourceFile: Self.sourceFile, constantsOffset: programs.deviceConstantsOffset)
    model.arenaByteCount = (programs.cpu ?? programs.first).arenaByteCount
    model.cpuFeatures = programs.cpu == nil ? [] : compiler.features
    model.threads = options.threads
    model.setAliases(programs.first.aliases)
    model.addDataSymbols(programs.first.dataSymbols, bounds)
    model.checkSentences = programs.first.checkSentences
    if options.profiles { model.launchNames = programs.first.launchNames }
  }

  private var cache: ObjectCache? {
    guard options.usesCache, let root = RuntimeObject.cacheFolder else { return nil }
    return KernelCache(in: root).objects
  }

  /// Compiles to files in the folder, and gives their names.
  private func objects(_ programs: Programs, _ folder: String, _ path: String) throws(Failure) -> [String] {
    var parts: [[UInt8]] = []
    do throws(LLVMError) {
      if let program = programs.cpu { parts = try compiler.compile(program, options: codeOptions, cache: cache) }
      if let device = programs.device {
        parts.append(try compiler.compile(device.host, options: codeOptions, cache: cache))
      }
    } catch {
      throw .runtime("\(error)", place: path)
    }
    var names: [String] = []
    for (position, bytes) in parts.enumerated() {
      names.append("code\(position).o")
      try Files.write(bytes, to: "\(folder)/code\(position).o")
    }
    return names
  }

  private func writeWeights(
    _ constants: [Program.Constant], _ model: inout ModelInterface, _ folder: String, _ output: String
  ) throws(Failure) {
    guard constants.contains(where: { $0.value.byteCount > 0 }) else { return }
    var key: UInt64?
    if let file = try weightsFileName(output) {
      let value = WeightsFile.key(of: constants)
      key = value
      model.weights = .beside(file: file, key: value)
    } else {
      model.weights = .embedded(file: "weights")
    }
    model.weightByteCount = try WeightsFile.write(constants, to: "\(folder)/weights", key: key)
  }

  /// The name of the weights' file, which must be in the library's folder.
  private func weightsFileName(_ output: String) throws(Failure) -> String? {
    guard let file = options.weightsFile else { return nil }
    let folders = [file, output].map { URL(fileURLWithPath: Files.folder(of: Files.absolute($0))).standardized.path }
    guard !file.contains("/") || folders[0] == folders[1] else {
      throw .refused("the weights file is in another folder than \(output)", place: file)
    }
    try Files.expectPlace("\(Files.folder(of: output))/\(Files.name(of: file))")
    return Files.name(of: file)
  }

  private var buildFacts: String {
    var facts = "precision=\(options.precision.rawValue) fusion=\(options.fuses ? "on" : "off")"
    if options.target.usesCPU { facts = "cpu=\(compiler.target.cpu) \(facts)" }
    if !compiler.triple.isHost { facts = "triple=\(compiler.triple) \(facts)" }
    if options.target.usesOpenCL { facts = "target=\(options.target.rawValue) \(facts)" }
    if options.profiles { facts += " profile=on" }
    return facts
  }
}

/// The names that follow from a library's path.
private struct OutputNames {
  let folder: String
  let library: String
  let header: String
  let model: String

  init(_ output: String) {
    folder = Files.folder(of: output)
    library = Files.name(of: output)
    var stem = library[...]
    if let dot = stem.lastIndex(of: "."), dot != stem.startIndex { stem = stem[..<dot] }
    header = "\(stem).h"
    model = IdentifierNames.modelName(ofLibrary: library)
  }
}

extension Program {
  /// The kernels' names in the order in which launches are numbered.
  var launchNames: [String] { allLaunches.map { kernels[$0.kernel].name } }
}

extension Function {
  /// Throws where an extent is not known before the function runs.
  func checkExtents() throws(OpError) {
    let known = Set(symbols)
    for (position, type) in graph.parameterTypes.enumerated() {
      for extent in type.dimensions where extent.symbols.count > 1 {
        guard extent.symbols.allSatisfy({ isDetermined($0) }) else {
          throw OpError("no extent of an input determines the symbols of \(extent) in '\(parameterNames[position])'")
        }
      }
    }
    try graph.checkExtents(known.union(try graph.dataSymbols().map(\.symbol)))
  }

  /// Whether an extent of a parameter depends on this symbol only.
  private func isDetermined(_ symbol: Symbol) -> Bool {
    graph.parameterTypes.contains { type in type.dimensions.contains { $0.symbols == [symbol] } }
  }
}

extension Graph {
  /// Throws where an extent has other symbols than the known ones, in regions too.
  fileprivate func checkExtents(_ known: Set<Symbol>) throws(OpError) {
    for node in nodes {
      for type in node.resultTypes {
        for extent in type.dimensions where !extent.symbols.isSubset(of: known) {
          throw .unsupported("\(node.op.mnemonic) with extents that depend on data").at(node.location)
        }
      }
      for region in node.op.definition.regions { try region.checkExtents(known) }
    }
  }
}
