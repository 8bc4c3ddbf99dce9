/// The closed set of ops. A new op is one file under `Ops`, one case and one line here, and one line in `TextForm.forms`.
public enum Op: Hashable, Sendable {
  case parameter(Parameter)
  case constant(Constant)
  case getTupleElement(GetTupleElement)
  case pointwise(Pointwise)
  case broadcastInDim(BroadcastInDim)
  case transpose(Transpose)
  case iota(Iota)
  case reshape(Reshape)
  case slice(Slice)
  case dynamicSlice(DynamicSlice)
  case dynamicUpdateSlice(DynamicUpdateSlice)
  case concatenate(Concatenate)
  case pad(Pad)
  case reverse(Reverse)
  case reduce(Reduce)
  case gather(Gather)
  case scatter(Scatter)
  case reduceWindow(ReduceWindow)
  case selectAndScatter(SelectAndScatter)
  case sort(Sort)
  case topK(TopK)
  case bitcastConvert(BitcastConvert)
  case dotGeneral(DotGeneral)
  case convolution(Convolution)
  case `while`(While)
  case `if`(If)
  case `case`(Case)
  case call(Call)
  case composite(Composite)
  case optimizationBarrier(OptimizationBarrier)
  case batchNormInference(BatchNormInference)
  case batchNormTraining(BatchNormTraining)
  case batchNormGrad(BatchNormGrad)
  case rngBitGenerator(RngBitGenerator)
  case getDimensionSize(GetDimensionSize)
  case setDimensionSize(SetDimensionSize)
  case extentValue(ExtentValue)
  case dynamicReshape(DynamicReshape)
  case dynamicBroadcastInDim(DynamicBroadcastInDim)
  case dynamicIota(DynamicIota)
  case dynamicPad(DynamicPad)
  case dynamicGather(DynamicGather)
  case realDynamicSlice(RealDynamicSlice)
  case dynamicConv(DynamicConv)
  case customCall(CustomCall)
  case fft(Fft)
  case fourierTransform(FourierTransform)
  case cholesky(Cholesky)
  case triangularSolve(TriangularSolve)
  case luDecomposition(LUDecomposition)
  case householderQR(HouseholderQR)
  case householderProduct(HouseholderProduct)
  case symmetricEigen(SymmetricEigen)
  case singularValues(SingularValues)
  case fusion(Fusion)

  /// The payload: everything an op says about itself.
  public var definition: any OpDefinition {
    switch self {
    case .parameter(let op): op
    case .constant(let op): op
    case .getTupleElement(let op): op
    case .pointwise(let op): op
    case .broadcastInDim(let op): op
    case .transpose(let op): op
    case .iota(let op): op
    case .reshape(let op): op
    case .slice(let op): op
    case .dynamicSlice(let op): op
    case .dynamicUpdateSlice(let op): op
    case .concatenate(let op): op
    case .pad(let op): op
    case .reverse(let op): op
    case .reduce(let op): op
    case .gather(let op): op
    case .scatter(let op): op
    case .reduceWindow(let op): op
    case .selectAndScatter(let op): op
    case .sort(let op): op
    case .topK(let op): op
    case .bitcastConvert(let op): op
    case .dotGeneral(let op): op
    case .convolution(let op): op
    case .while(let op): op
    case .if(let op): op
    case .case(let op): op
    case .call(let op): op
    case .composite(let op): op
    case .optimizationBarrier(let op): op
    case .batchNormInference(let op): op
    case .batchNormTraining(let op): op
    case .batchNormGrad(let op): op
    case .rngBitGenerator(let op): op
    case .getDimensionSize(let op): op
    case .setDimensionSize(let op): op
    case .extentValue(let op): op
    case .dynamicReshape(let op): op
    case .dynamicBroadcastInDim(let op): op
    case .dynamicIota(let op): op
    case .dynamicPad(let op): op
    case .dynamicGather(let op): op
    case .realDynamicSlice(let op): op
    case .dynamicConv(let op): op
    case .customCall(let op): op
    case .fft(let op): op
    case .fourierTransform(let op): op
    case .cholesky(let op): op
    case .triangularSolve(let op): op
    case .luDecomposition(let op): op
    case .householderQR(let op): op
    case .householderProduct(let op): op
    case .symmetricEigen(let op): op
    case .singularValues(let op): op
    case .fusion(let op): op
    }
  }

  public var mnemonic: String { definition.mnemonic }
  public func inferTypes(_ operands: [TensorType]) throws(OpError) -> [TensorType] {
    try definition.inferTypes(operands)
  }
}
