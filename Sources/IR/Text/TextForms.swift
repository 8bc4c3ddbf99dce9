extension TextForm {
  /// The forms of ops with attributes; a new op adds its line here.
  static let forms: [TextForm] = [
    Constant.text, Transpose.text, BroadcastInDim.text, Reshape.text, Iota.text, Slice.text, DynamicSlice.text,
    DynamicUpdateSlice.text, Concatenate.text, Pad.text, Reverse.text, Reduce.text, DotGeneral.text, Convolution.text,
    While.text, If.text, Case.text, Call.text, Composite.text, OptimizationBarrier.text, Fusion.text,
    Gather.text, DynamicGather.text, Scatter.text, ReduceWindow.text, SelectAndScatter.text, Sort.text, TopK.text,
    BatchNormInference.text, BatchNormTraining.text, BatchNormGrad.text, RngBitGenerator.text, GetDimensionSize.text,
    SetDimensionSize.text, ExtentValue.text, FourierTransform.text,
    DynamicReshape.text, DynamicBroadcastInDim.text, DynamicIota.text, DynamicPad.text, RealDynamicSlice.text,
    DynamicConv.text, DynamicGather.text, CustomCall.text, Fft.text, Cholesky.text, TriangularSolve.text,
    LUDecomposition.text, HouseholderQR.text, HouseholderProduct.text, SymmetricEigen.text, SingularValues.text,
    Pointwise.convertText, Pointwise.bitcastText, Pointwise.reducePrecisionText, Pointwise.compareText,
  ]
}
