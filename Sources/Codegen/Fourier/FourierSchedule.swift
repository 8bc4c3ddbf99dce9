import IR

extension Schedule {
  /// Discrete Fourier transforms of lines, with what is read and what follows. A task is one line, whose vectors lie along it;
  /// or as many lines as a vector has lanes.
  static let fourier = Schedule("fourier") { request in
    guard request.target.workGroups == nil,
      let value = request.body.only({ if case .fourierTransform = $0 { true } else { false } }),
      case .fourierTransform(let transform) = request.body[value].op
    else { return nil }
    let center = CentralNode(value, of: request)
    return center.scheduled(over: request.body.type(of: value).dimensions) { outputs, scheduled in
      let lines = FourierLines(center, transform, outputs)
      guard let launch = lines.alongThem(&scheduled) ?? lines.besideEachOther(&scheduled) else {
        preconditionFailure("a transform's length has small factors")
      }
      return [.launch(launch)]
    }
  }
}

/// Lines that are transformed, and where the results go.
struct FourierLines {
  let center: CentralNode
  let transform: FourierTransform
  let outputs: [CentralNode.Output]
  let type: TensorType
  let length: Int

  init(_ center: CentralNode, _ transform: FourierTransform, _ outputs: [CentralNode.Output]) {
    self.center = center
    self.transform = transform
    self.outputs = outputs
    type = center.request.body.type(of: center.value)
    length = type.dimensions[transform.dimension].fixed ?? 0
  }

  var request: SchedulingRequest { center.request }
  var part: ElementType { type.elementType.realPart }
  var operand: ValueID { request.body[center.value].operands[0] }
  /// Lanes of a vector of parts.
  var lanes: Int { request.target.lanes(byteCount: part.byteCount) }
  /// The dimensions of the lines side by side, and those outside.
  var inner: [Int] { Array(type.dimensions.indices.filter { $0 > transform.dimension && type.dimensions[$0] != .one }) }
  var outer: [Int] { Array(type.dimensions.indices.filter { $0 < transform.dimension }) }

  func count(_ dimensions: [Int]) -> Extent { dimensions.reduce(.one) { $0 * type.dimensions[$1] } }

  /// A line's operations.
  var operations: Int { 5 * length * (Int.bitWidth - length.leadingZeroBitCount) }

  /// A kernel that is being written.
  struct Draft {
    var b: KernelBuilder
    var buffers: OperandBuffers
    var lowering: ElementLowering
    var outputs: [Memory] = []
    var roots: Memory
    /// The two arrays in which lines lie between stages, their real and their imaginary parts.
    var arrays: [(re: Memory, im: Memory)] = []
  }

  func draft(
    _ stages: inout FourierStages, vectorStage: Int? = nil, taskCount: Extent, lanes: Int, arrayLength: Int,
    _ scheduled: inout ScheduledFusion
  ) -> Draft {
    var b = KernelBuilder(target: request.target)
    b.setBound(Extent(lanes), ofVariable: -1)
    b.setBound(taskCount, ofVariable: Kernel.taskVariable)
    var buffers = OperandBuffers(for: outputs.map(\.value), of: request, &b)
    let table = stages.roots(part, vectorsIn: vectorStage, lanes: lanes)
    buffers.arguments.append(scheduled.addConstant(table))
    let roots = b.addBuffer("roots", part, isWritten: false)
    let lowering = ElementLowering(graph: request.body, inputs: buffers.inputs, lanes: lanes)
    var draft = Draft(b: b, buffers: buffers, lowering: lowering, roots: roots)
    for (number, output) in outputs.enumerated() {
      let element = request.body.type(of: output.value).elementType
      draft.outputs.append(draft.buffers.add(output.destination, element, "out\(number)", &draft.b))
    }
    for _ in 0..<min(2, stages.stages.count - 1) {
      let (re, im) = (draft.b.addScratch(part, count: arrayLength), draft.b.addScratch(part, count: arrayLength))
      draft.arrays.append((re, im))
    }
    return draft
  }

  func launch(_ draft: Draft, taskCount: Extent, taskCost: Extent) -> ScheduledFusion.Launch {
    let kernel = draft.b.kernel(
      name: request.name, sources: request.sources, taskCount: taskCount, taskCost: taskCost)
    return ScheduledFusion.Launch(kernel, draft.buffers.arguments)
  }

  /// The operand's elements at an index, a lane each.
  func read(
    at index: [IntegerExpression], _ mask: Register?, lanes: Int, _ lowering: inout ElementLowering,
    _ b: inout KernelBuilder
  ) -> ComplexParts {
    let z = lowering.element(of: operand, at: index, mask: mask, in: &b)
    let (re, im) = (b.apply(.real, [z]), b.apply(.imaginary, [z]))
    return ComplexParts(re: b.widen(re, to: lanes), im: b.widen(im, to: lanes))
  }

  /// Writes the outputs at an index, where the transform's elements are `z`.
  func write(
    _ z: ComplexParts, at index: [IntegerExpression], _ mask: Register?, lanes: Int, _ memories: [Memory],
    _ lowering: inout ElementLowering, _ b: inout KernelBuilder
  ) {
    lowering.withScope { lowering in
      lowering.define(center.value, at: index, as: [b.apply(.complex, [z.re, z.im])])
      let position = ElementLowering.position(of: index, in: type)
      for (output, memory) in zip(outputs, memories) {
        let element = lowering.element(of: output.value, at: index, mask: mask, in: &b)
        b.store(element, memory, at: position, lanes: lanes, mask: mask)
      }
    }
  }

  /// The results of a stage, multiplied by roots; the first is not.
  func finished(_ x: [ComplexParts], _ roots: [ComplexParts], _ b: inout KernelBuilder) -> [ComplexParts] {
    let z = b.transformed(x, isInverse: transform.isInverse)
    return roots.isEmpty ? z : [z[0]] + zip(z.dropFirst(), roots).map { b.product($0, $1) }
  }

  /// Loops over the elements after a stage, with the roots that its results are multiplied by.
  func loop(
    _ stage: FourierStages.Stage, _ roots: Memory, _ b: inout KernelBuilder,
    _ body: (inout KernelBuilder, IntegerExpression, [ComplexParts]) -> Void
  ) {
    guard stage.rest > 1 else { return body(&b, .zero, []) }
    b.loop(to: Extent(stage.rest)) { b, p, _ in
      let first = p * (2 * (stage.radix - 1)) + stage.firstRoot
      let factors = (0..<stage.radix - 1).map { k in
        ComplexParts(
          re: b.load(roots, at: first + 2 * k, lanes: 1), im: b.load(roots, at: first + (2 * k + 1), lanes: 1))
      }
      body(&b, p, factors)
      return []
    }
  }
}
